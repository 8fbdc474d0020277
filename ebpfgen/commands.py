"""What the commands do once their words are understood: run, print, and say how it ended.

Whatever is only needed when there is something to do is imported then.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from ebpfgen.errors import (
    CompileError,
    EbpfgenError,
    FailedError,
    UntrackedError,
    UsageError,
)
from ebpfgen.jobs import Job, Options, job_from_arguments

if TYPE_CHECKING:
    from ebpfgen.directives import Directive

_FAILED, _USAGE, _INTERRUPTED = 1, 2, 130

_MANY = 8
"""How many variants make a progress bar worth while."""


@dataclass(frozen=True, slots=True)
class Request:
    """A binding as a command line or a directive asks for it; without ident, the project's."""

    ident: str | None = None
    sources: tuple[Path, ...] = ()
    options: Options = field(default_factory=Options)

    def job(self, folder: Path, place: str) -> Job:
        """Return the job of one binding. Raises UsageError without an ident."""
        if self.ident is None:
            raise UsageError(f"{place}: IDENT and SOURCE are missing")
        if not self.sources and not self.options.objects:
            raise UsageError(f"SOURCE is missing: ebpfgen generate {self.ident} FILE.c")
        return job_from_arguments(self.ident, self.sources, folder, self.options, place=place)


@dataclass(frozen=True, slots=True)
class Mode:
    """How to generate, and how to talk of it; ``jobs`` is 0 for one per processor.

    ``only_written`` leaves out what was up to date. With ``tracked`` it is an error if git does not
    know a file that a binding is made of, or consists of.
    """

    check: bool = False
    rebuild: bool = False
    tracked: bool = False
    watch: bool = False
    force: bool = False
    compile_only: bool = False
    json: bool = False
    quiet: bool = False
    verbose: bool = False
    jobs: int = 0
    only_written: bool = False


DirectiveParser = Callable[["Directive"], Request]


def run_generate(request: Request, mode: Mode, parse: DirectiveParser) -> int:
    """Do what ``ebpfgen generate`` was asked for and return the exit status.

    *parse* reads the directives of a project. Raises EbpfgenError.
    """
    if mode.rebuild and not mode.check:
        raise UsageError("--rebuild is for --check: pass both, or --force to build everything")
    if mode.check and (mode.watch or mode.force or mode.compile_only):
        raise UsageError("--check changes nothing: leave out --watch, --force and --compile-only")
    if mode.watch and (mode.json or mode.tracked):
        option = "--json" if mode.json else "--tracked"
        raise UsageError(f"{option} is for the end of a run, and --watch has none: leave one out")
    if mode.watch:
        return _watch(request, mode, parse)
    if mode.check:
        return _check(request, mode, parse)
    return _generate(_jobs(request, parse), mode)


def leave_with(run: Callable[[], int]) -> NoReturn:
    """Run a command and exit with its status; what it raises becomes a line and a status."""
    signal.signal(signal.SIGTERM, _on_termination)
    try:
        status = run()
    except EbpfgenError as error:
        tell_error(error)
        sys.exit(_USAGE if isinstance(error, UsageError) else _FAILED)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has gone; Python would say so again when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(_FAILED)
    sys.exit(status)


def tell_error(error: EbpfgenError) -> None:
    """Write what went wrong: a line for each error, below clang's own text if it has one."""
    for one in error.errors if isinstance(error, FailedError) else (error,):
        if isinstance(one, CompileError):
            warn(one.diagnostics)
        warn(f"ebpfgen: {one}\n")


def warn(text: str) -> None:
    """Write to the standard error as it is."""
    print(text, end="", file=sys.stderr, flush=True)


def say(text: str) -> None:
    """Write a line, for somebody who waits for it."""
    print(text, flush=True)


def relative(path: Path) -> str:
    """Return *path* as seen from the current folder."""
    return os.path.relpath(path)


def _on_termination(number: int, _: object) -> NoReturn:
    """End as Ctrl-C does, so that nothing is left behind, with the status a shell expects."""
    sys.exit(128 + number)


def _jobs(request: Request, parse: DirectiveParser) -> list[Job]:
    """Return the job that was asked for, or those of the project."""
    here = Path.cwd()
    if request.ident is None:
        return project_jobs(here, request.options, parse)
    options = request.options.with_environment(os.environ)
    return [replace(request, options=options).job(here, "the command line")]


def project_jobs(here: Path, options: Options, parse: DirectiveParser) -> list[Job]:
    """Return the jobs of the project that *here* is in, as *options* and the environment have them.

    *parse* reads directives. Raises EbpfgenError.
    """
    from ebpfgen.config import jobs_from_config

    options = options.with_environment(os.environ)
    if options.objects:
        raise UsageError("IDENT is missing: ebpfgen generate --object FILE.o IDENT")
    # What is typed is relative to where it is typed.
    options = replace(
        options,
        output_dir=options.output_dir and here / options.output_dir,
        makebase=options.makebase and here / options.makebase,
    )

    def job_of(directive: "Directive") -> Job:
        asked = parse(directive)
        return replace(asked, options=options.over(asked.options)).job(
            directive.file.parent, directive.place
        )

    return jobs_from_config(here, options, job_of)


def _generate(jobs: "Sequence[Job]", mode: Mode) -> int:
    """Generate bindings and tell of them. Raises EbpfgenError after telling of what succeeded."""
    from ebpfgen.generate import generate
    from ebpfgen.run import Generated, Observer, Settings

    made: list[Generated] = []
    warnings: list[str] = []

    def tell(variant: Generated) -> None:
        from ebpfgen.report import variant_line

        made.append(variant)
        hidden = mode.only_written and variant.state == "unchanged"
        if not (mode.quiet or mode.json or hidden):
            print(variant_line(variant), flush=True)

    def keep(text: str) -> None:
        warnings.append(text)
        if not mode.json:
            warn(text)

    settings = Settings(mode.jobs, mode.force, mode.compile_only, _has_colours())
    total = sum(len(job.targets) for job in jobs)
    failure: EbpfgenError | None = None
    with _progress_bar(total, hidden=mode.json or mode.quiet) as progress:
        observer = Observer(
            command=_print_command if mode.verbose else None,
            warning=keep,
            variant=tell,
            progress=progress,
        )
        try:
            generate(jobs, settings, observer)
            if mode.tracked and (unknown := _untracked(jobs)):
                raise UntrackedError([relative(path) for path in unknown])
        except EbpfgenError as error:
            failure = error
    if mode.json:
        from ebpfgen.report import each_error, json_report

        print(json_report(made, warnings, each_error(failure) if failure else ()))
        if failure:
            return _FAILED
    if failure:
        raise failure
    return 0


def _untracked(jobs: "Sequence[Job]") -> list[Path]:
    from ebpfgen.git import untracked_files

    return untracked_files(jobs, Path.cwd())


def _check(request: Request, mode: Mode, parse: DirectiveParser) -> int:
    from ebpfgen.check import Finding, check

    jobs = _jobs(request, parse)
    found = check(
        jobs,
        whole_project=request.ident is None,
        rebuild=mode.rebuild,
        colour=_has_colours(),
    )
    if mode.tracked:
        known = {finding.path for finding in found}
        found += [
            Finding(path, "untracked", "git does not track it")
            for path in _untracked(jobs)
            if path not in known
        ]
    if mode.json:
        from ebpfgen.report import json_findings

        print(json_findings(found))
    elif found:
        from ebpfgen.report import check_line, finding_lines

        for finding in () if mode.quiet else found:
            print("\n".join(finding_lines(finding)))
        sys.stdout.flush()
        warn(f"ebpfgen: {check_line(found)}\n")
    return _FAILED if found else 0


def _watch(request: Request, mode: Mode, parse: DirectiveParser) -> int:
    from ebpfgen.watch import watch

    def run(jobs: Sequence[Job]) -> None:
        _generate(jobs, replace(mode, only_written=True))

    watch(Path.cwd(), lambda: _jobs(request, parse), run, tell_error, say)
    return 0


@contextmanager
def _progress_bar(total: int, *, hidden: bool) -> "Iterator[Callable[[int, int], None] | None]":
    """Show a bar while many variants are made, on a terminal."""
    if hidden or total < _MANY or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

    columns = ("generating", BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def show(done: int, of: int) -> None:
            bar.update(task, completed=done, total=of)

        yield show


def _has_colours() -> bool:
    """Return whether whoever reads our errors wants colours (https://no-color.org)."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return sys.stderr.isatty() and not plain


def _print_command(command: Sequence[str]) -> None:
    import shlex

    warn(f"{shlex.join(command)}\n")
