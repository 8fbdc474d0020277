"""Builds the variants of many jobs side by side, and stops them all when there is no going on."""

from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from threading import Lock

from ebpfgen.build import BuiltVariant, build_variant, import_rest
from ebpfgen.clang import Toolchain, find_toolchain
from ebpfgen.errors import CompileError, EbpfgenError, each_error
from ebpfgen.jobs import Job
from ebpfgen.run import Observer, Settings, usable_cpus
from ebpfgen.target import Target
from ebpfgen.tools import allow_tools, stop_tools


def build_all(
    jobs: Sequence[Job], settings: Settings, observer: Observer
) -> Generator[tuple[list[BuiltVariant], list[EbpfgenError]], None, None]:
    """Yield the variants of each job, and the errors of those that failed, in the jobs' order.

    What goes wrong for several targets in the same way is one error.

    Left early, by Ctrl-C or an error, it ends the compilers that run.
    """
    toolchain = cache(find_toolchain)
    total = sum(len(job.targets) for job in jobs)
    counter = _Counter(total, observer)

    def tools(job: Job) -> Toolchain:
        return toolchain(job.cc, job.strip, no_strip=job.no_strip, colour=settings.colour)

    pool = ThreadPoolExecutor(settings.workers or usable_cpus())
    finished = False
    try:
        futures = [
            [
                pool.submit(
                    build_variant,
                    job,
                    target,
                    lambda job=job: tools(job),  # type: ignore[misc]  # mypy sees no default here
                    compile_only=settings.compile_only,
                    observe=observer.command,
                )
                for target in job.targets
            ]
            for job in jobs
        ]
        for future in (future for variants in futures for future in variants):
            future.add_done_callback(counter.count)
        import_rest()
        for job, variants in zip(jobs, futures, strict=True):
            yield _results(job, variants)
        finished = True
    finally:
        if not finished:
            stop_tools()
        pool.shutdown(cancel_futures=True)
        allow_tools()


class _Counter:
    """Tells an observer how many variants of how many are made."""

    def __init__(self, total: int, observer: Observer) -> None:
        self._total = total
        self._tell = observer.progress
        self._done = 0
        self._lock = Lock()

    def count(self, _: Future[BuiltVariant]) -> None:
        with self._lock:
            self._done += 1
            if self._tell:
                self._tell(self._done, self._total)


def _results(
    job: Job, futures: Sequence[Future[BuiltVariant]]
) -> tuple[list[BuiltVariant], list[EbpfgenError]]:
    made: list[BuiltVariant] = []
    failed: dict[str, list[tuple[str, EbpfgenError]]] = {}
    for target, future in zip(job.targets, futures, strict=True):
        try:
            made.append(future.result())
        except EbpfgenError as failure:
            for error in each_error(failure):
                failed.setdefault(_kind(error, target), []).append((target.name, error))
    return made, [_joined(same) for same in failed.values()]


def _kind(error: EbpfgenError, target: Target) -> str:
    """Return what an error says but for the target."""
    if isinstance(error, CompileError):
        return error.key
    return str(error).replace(f" for {target.name}", "")


def _joined(same: Sequence[tuple[str, EbpfgenError]]) -> EbpfgenError:
    """Return one error for what went wrong in the same way for several targets."""
    names = [name for name, _ in same]
    _, error = same[0]
    if isinstance(error, CompileError):
        return error.for_targets(names)
    error.args = (str(error).replace(f" for {names[0]}", f" for {', '.join(names)}"),)
    return error
