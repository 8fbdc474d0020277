"""The story on one page: jobs, those that are up to date left out, built side by side, written.

Nothing that compiles, reads or emits is imported before there is something to build, and then
while clang runs: most runs find nothing to do.
"""

from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from ebpfgen.errors import EbpfgenError, FailedError
from ebpfgen.freshness import Digests, differences
from ebpfgen.jobs import Job
from ebpfgen.makerules import write_rules
from ebpfgen.output import lone_object, old_variants, remove_leftovers, write_files
from ebpfgen.run import Generated, Observer, Settings

if TYPE_CHECKING:
    from ebpfgen.build import BuiltVariant

    Results = Generator[tuple[list[BuiltVariant], list[EbpfgenError]], None, None]


def generate(
    jobs: Iterable[Job], settings: Settings | None = None, observer: Observer | None = None
) -> list[Generated]:
    """Generate the bindings of all *jobs* that are not up to date, each written once it is made.

    Raises the EbpfgenError of the one job that failed, or FailedError with those of all that did;
    their last good files are left alone, and the other bindings are there.
    """
    settings, observer = settings or Settings(), observer or Observer()
    digest = Digests()
    jobs = list(jobs)
    for folder in {job.output_dir for job in jobs}:
        remove_leftovers(folder)
    all_stale = settings.force or settings.compile_only
    stale = [all_stale or _is_stale(job, digest, shipped=settings.shipped) for job in jobs]
    made: list[Generated] = []
    errors: list[EbpfgenError] = []
    said: set[str] = set()
    to_build = [job for job, is_stale in zip(jobs, stale, strict=True) if is_stale]
    with closing(_built(to_build, settings, observer)) as results:
        for job, is_stale in zip(jobs, stale, strict=True):
            found = _made(job, results, errors, said, observer) if is_stale else _unchanged(job)
            if found and job.makebase and not settings.compile_only:
                errors += write_rules(job, job.makebase)
            made += found
            for variant in found:
                if observer.variant:
                    observer.variant(variant)
    # What is wrong with the machine, such as no compiler, is so for all jobs.
    errors = list({str(error): error for error in errors}.values())
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise FailedError(errors)
    return made


def _is_stale(job: Job, digest: Digests, *, shipped: bool) -> bool:
    return any(differences(job, digest, shipped=shipped)) or bool(old_variants(job))


def _built(jobs: Sequence[Job], settings: Settings, observer: Observer) -> "Results":
    """Yield the variants of each job, and the errors of those that failed, in the jobs' order."""
    if not jobs:
        return
    from ebpfgen.schedule import build_all

    yield from build_all(jobs, settings, observer)


def _made(
    job: Job, results: "Results", errors: list[EbpfgenError], said: set[str], observer: Observer
) -> list[Generated]:
    """Write the binding whose variants come next. What fails goes to *errors*."""
    variants, failed = next(results)
    for text in dict.fromkeys(text for variant in variants for text in variant.warnings):
        if observer.warning and text not in said:
            said.add(text)
            observer.warning(text)
    try:
        found = [] if failed else _write(job, variants)
    except EbpfgenError as error:
        found, failed = [], [error]
    errors += failed
    return found


def _write(job: Job, variants: Sequence["BuiltVariant"]) -> list[Generated]:
    from ebpfgen.build import assemble

    if all(variant.module for variant in variants):
        files = assemble(job, variants)
        changed = write_files(files, old_variants(job))
    else:
        paths = {job.module(variant.target).with_suffix(".o"): variant for variant in variants}
        files = {path: lone_object(path, variant.object) for path, variant in paths.items()}
        changed = write_files(files)
    result = []
    for variant in variants:
        path = job.module(variant.target)
        object_file = path.with_suffix(".o")
        result.append(
            Generated(
                source=job.shown_source,
                target=variant.target,
                module=path if variant.module else None,
                object=object_file,
                object_size=len(files[object_file]),
                state="written" if {path, object_file, job.facade} & changed else "unchanged",
                seconds=variant.seconds,
            )
        )
    return result


def _unchanged(job: Job) -> list[Generated]:
    modules = {target: job.module(target) for target in job.targets}
    return [
        Generated(
            source=job.shown_source,
            target=target,
            module=path,
            object=path.with_suffix(".o"),
            object_size=path.with_suffix(".o").stat().st_size,
            state="unchanged",
            seconds=0.0,
        )
        for target, path in modules.items()
    ]
