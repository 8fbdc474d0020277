"""Builds the variants of many jobs side by side, and stops them all when there is no going on."""

import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache, partial
from threading import Lock

from ebpfgen.build import BuiltVariant, build_variant, import_rest, link_parts, make_part
from ebpfgen.clang import Compilation, Toolchain, find_toolchain, strip_objects
from ebpfgen.errors import CompileError, EbpfgenError, FailedError, each_error
from ebpfgen.jobs import Job
from ebpfgen.process import Deferred
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
    counter = _Counter(sum(len(job.targets) for job in jobs), observer)

    def tools(job: Job) -> Toolchain:
        return toolchain(job.cc, job.strip, no_strip=job.no_strip, colour=settings.colour)

    bindings = [_Binding(job, settings, observer, partial(tools, job)) for job in jobs]
    pool = ThreadPoolExecutor(settings.workers or usable_cpus())
    finished = False
    try:
        # Interrupted while it starts a thread, a pool does not know of the thread, nor wait for it.
        with Deferred():
            for binding in bindings:
                for variant in binding.variants:
                    variant.start(pool, counter)
        import_rest()
        for binding in bindings:
            yield binding.results()
        finished = True
    finally:
        if not finished:
            stop_tools()
        pool.shutdown(cancel_futures=True)
        allow_tools()


class _Binding:
    """The variants of a job in the making."""

    def __init__(
        self, job: Job, settings: Settings, observer: Observer, tools: Callable[[], Toolchain]
    ) -> None:
        self.job = job
        self.tools = tools
        self.compile_only = settings.compile_only
        self.observe = observer.command
        self.variants = [_Variant(self, target) for target in job.targets]
        self._objects: dict[Target, bytes] = {}
        self._stripped: dict[Target, bytes] = {}
        self._lock = Lock()

    def add(self, target: Target, data: bytes) -> None:
        """Take the object of a variant; after the last one, those of all are stripped."""
        with self._lock:
            self._objects[target] = data
            is_last = len(self._objects) == len(self.variants)
        if is_last:
            self._stripped = self._strip()

    def results(self) -> tuple[list[BuiltVariant], list[EbpfgenError]]:
        """Wait for the variants and return them, and the errors of those that failed."""
        made: list[BuiltVariant] = []
        failed: dict[str, list[tuple[str, EbpfgenError]]] = {}
        for variant in self.variants:
            try:
                made.append(variant.result())
            except EbpfgenError as failure:
                for error in each_error(failure):
                    key = _kind(error, variant.target)
                    failed.setdefault(key, []).append((variant.target.name, error))
        if not failed:
            made = [variant._replace(object=self._stripped[variant.target]) for variant in made]
        return made, [_joined(same) for same in failed.values()]

    def _strip(self) -> dict[Target, bytes]:
        # What libbpf has linked has no DWARF, and what was built elsewhere is left as it is.
        if self.job.objects or len(self.job.sources) > 1 or not self.tools().strip:
            return self._objects
        stripped = strip_objects(
            list(self._objects.values()),
            self.tools().strip,
            folder=self.job.folder,
            observe=self.observe,
        )
        return dict(zip(self._objects, stripped, strict=True))


class _Variant:
    """A variant in the making: its parts are made side by side, and whoever is last makes it."""

    def __init__(self, binding: _Binding, target: Target) -> None:
        self.target = target
        self._binding = binding
        self._since = 0
        self._parts: dict[int, Compilation | EbpfgenError] = {}
        self._futures: list[Future[BuiltVariant | None]] = []
        self._lock = Lock()

    def start(self, pool: ThreadPoolExecutor, counter: "_Counter") -> None:
        """Have *pool* make all parts."""
        count = len(self._binding.job.sources) or 1
        self._futures = [pool.submit(self._make, number, count) for number in range(count)]
        self._futures[-1].add_done_callback(counter.count)

    def result(self) -> BuiltVariant:
        """Wait for the variant. Raises EbpfgenError."""
        (variant,) = filter(None, [future.result() for future in self._futures])
        return variant

    def _make(self, number: int, count: int) -> BuiltVariant | None:
        with self._lock:
            self._since = self._since or time.time_ns()
        part = self._make_part(number)
        with self._lock:
            self._parts[number] = part
            if len(self._parts) < count:
                return None
        return self._make_whole()

    def _make_part(self, number: int) -> Compilation | EbpfgenError:
        binding = self._binding
        try:
            return make_part(binding.job, self.target, number, binding.tools, binding.observe)
        except EbpfgenError as error:
            return error

    def _make_whole(self) -> BuiltVariant:
        parts = [part for _, part in sorted(self._parts.items())]
        errors = [part for part in parts if isinstance(part, EbpfgenError)]
        if errors:
            raise errors[0] if len(errors) == 1 else FailedError(errors)
        binding = self._binding
        compiled = [part for part in parts if isinstance(part, Compilation)]
        made = link_parts(binding.job, self.target, compiled)
        # Others bind their variants while this waits for the program that strips.
        binding.add(self.target, made.object)
        return build_variant(
            binding.job,
            self.target,
            made,
            binding.tools,
            since=self._since,
            compile_only=binding.compile_only,
            observe=binding.observe,
        )


class _Counter:
    """Tells an observer how many variants of how many are made."""

    def __init__(self, total: int, observer: Observer) -> None:
        self._total = total
        self._tell = observer.progress
        self._done = 0
        self._lock = Lock()

    def count(self, _: Future[BuiltVariant | None]) -> None:
        with self._lock:
            self._done += 1
            if self._tell:
                self._tell(self._done, self._total)


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
