"""The story on one page: jobs, those that are up to date left out, built side by side, written.

Nothing that compiles, reads or emits is imported before there is something to build, and then
while clang runs: most runs find nothing to do.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ebpfgen.errors import EbpfgenError, FailedError
from ebpfgen.jobs import Job
from ebpfgen.makerules import make_rules
from ebpfgen.output import replaced_files, write_files
from ebpfgen.run import Generated, Observer, Settings
from ebpfgen.stamp import Digests, differences, stamped_inputs

if TYPE_CHECKING:
    from ebpfgen.build import BuiltVariant


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
    stale = [
        job
        for job in jobs
        if settings.force
        or settings.compile_only
        or any(differences(job, digest, shipped=settings.shipped))
        or _replaced(job)
    ]
    made: list[Generated] = []
    errors: list[EbpfgenError] = []
    said: set[str] = set()
    results = _built(stale, settings, observer)
    for job in jobs:
        if job in stale:
            variants, failed = next(results)
            for text in dict.fromkeys(text for v in variants for text in v.warnings):
                if observer.warning and text not in said:
                    said.add(text)
                    observer.warning(text)
            found = [] if failed else _write(job, variants, failed)
            errors += failed
        else:
            found = _unchanged(job)
        if found and job.makebase and not settings.compile_only:
            errors += _write_rules(job, job.makebase)
        made += found
        for variant in found:
            if observer.variant:
                observer.variant(variant)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise FailedError(errors)
    return made


def _replaced(job: Job) -> list[Path]:
    kept = [target.suffix for target in job.targets]
    return replaced_files(job.output_dir, job.stem, job.suffix, kept)


def _built(
    jobs: Sequence[Job], settings: Settings, observer: Observer
) -> Iterator[tuple[list["BuiltVariant"], list[EbpfgenError]]]:
    """Yield the variants of each job, and the errors of those that failed, in the jobs' order."""
    if not jobs:
        return
    from ebpfgen.schedule import build_all

    yield from build_all(jobs, settings, observer)


def _write(
    job: Job, variants: Sequence["BuiltVariant"], errors: list[EbpfgenError]
) -> list[Generated]:
    """Write a binding. What fails goes to *errors*."""
    from ebpfgen.build import assemble

    try:
        changed = write_files(assemble(job, variants), _replaced(job) if variants[0].module else [])
    except EbpfgenError as error:
        errors.append(error)
        return []
    result = []
    for variant in variants:
        path = job.module(variant.target)
        files = {path, path.with_suffix(".o"), job.facade}
        result.append(
            Generated(
                source=job.shown_source,
                target=variant.target,
                module=path if variant.module else None,
                object=path.with_suffix(".o"),
                object_size=len(variant.object),
                state="written" if files & changed else "unchanged",
                seconds=variant.seconds,
            )
        )
    return result


def _write_rules(job: Job, base: Path) -> list[EbpfgenError]:
    inputs = stamped_inputs(job)
    modules = [job.module(target) for target in job.targets]
    try:
        write_files(
            {path.with_name(f"{path.name}.d"): make_rules(path, inputs, base) for path in modules}
        )
    except EbpfgenError as error:
        return [error]
    return []


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
