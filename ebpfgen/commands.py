"""What the commands do once their words are understood: run, print, and say how it ended.

Whatever is only needed when there is something to do is imported then.
"""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from ebpfgen.console import (
    ProgressBar,
    StandardOutputError,
    has_colours,
    relative,
    say,
    tell_error,
    warn,
    write_anything,
)
from ebpfgen.errors import (
    EbpfgenError,
    SourceError,
    UntrackedError,
    UsageError,
    each_error,
    placed,
)
from ebpfgen.jobs import Job, Options, check_options, job_from_arguments
from ebpfgen.process import Orderly, raise_if_ended
from ebpfgen.project import project_folder
from ebpfgen.report import variant_line
from ebpfgen.run import Generated, Observer, Settings

if TYPE_CHECKING:
    from ebpfgen.directives import Directive

_FAILED, _USAGE, _INTERRUPTED = 1, 2, 130


class Request(NamedTuple):
    """A binding as a command line or a directive asks for it; without ident, the project's."""

    ident: str | None = None
    sources: tuple[Path, ...] = ()
    options: Options = Options()

    def job(self, folder: Path) -> Job:
        """Return the job of one binding. Raises UsageError without an ident or a source."""
        if self.ident is None:
            raise UsageError("IDENT and SOURCE are missing")
        if not self.sources and not self.options.objects:
            raise UsageError(f"SOURCE is missing: ebpfgen generate {self.ident} FILE.c")
        return job_from_arguments(self.ident, self.sources, folder, self.options)


class Mode(NamedTuple):
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
    with Orderly():
        if mode.watch:
            return _watch(request, mode, parse)
        if mode.check:
            return _check(request, mode, parse)
        return _generate(request, mode, parse)


def leave_with(run: Callable[[], int]) -> NoReturn:
    """Run a command and exit with its status; what it raises becomes a line and a status."""
    write_anything()
    try:
        status = run()
    except EbpfgenError as error:
        tell_error(error)
        status = _status_of(error)
    except KeyboardInterrupt:
        status = _INTERRUPTED
    except StandardOutputError as error:
        if not error.is_broken_pipe:
            warn(f"ebpfgen: {error}\n")
        status = _FAILED
    sys.exit(status)


def _status_of(error: EbpfgenError) -> int:
    return _USAGE if error.is_typed else _FAILED


def _here() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise SourceError("the current folder has been removed: go to another") from error


def _jobs(request: Request, parse: DirectiveParser) -> list[Job]:
    """Return the job that was asked for, or those of the project."""
    here = _here()
    if request.ident is None:
        return project_jobs(here, request.options, parse)
    check_options(request.options)
    options = request.options.with_environment(os.environ)
    return [request._replace(options=options).job(here)]


def project_jobs(here: Path, options: Options, parse: DirectiveParser) -> list[Job]:
    """Return the jobs of the project that *here* is in, as *options* and the environment have them.

    *parse* reads directives. Raises EbpfgenError.
    """
    check_options(options)
    from ebpfgen.config import jobs_from_config

    options = options.with_environment(os.environ)
    if options.objects:
        raise UsageError("IDENT is missing: ebpfgen generate --object FILE.o IDENT")
    # What is typed is relative to where it is typed.
    options = options._replace(
        output_dir=options.output_dir and here / options.output_dir,
        makebase=options.makebase and here / options.makebase,
    )

    def job_of(directive: "Directive") -> Job:
        with placed(directive.place):
            asked = parse(directive)
            check_options(asked.options)
            asked = asked._replace(options=options.over(asked.options))
            return asked.job(directive.file.parent)._replace(place=directive.place)

    return jobs_from_config(here, options, job_of)


def _generate(request: Request, mode: Mode, parse: DirectiveParser) -> int:
    """Generate what is asked for, and tell of it in words or in JSON. Raises EbpfgenError."""
    made: list[Generated] = []
    warnings: list[str] = []
    if not mode.json:
        _generate_jobs(_jobs(request, parse), mode, made, warnings)
        return 0
    failure: EbpfgenError | None = None
    try:
        _generate_jobs(_jobs(request, parse), mode, made, warnings)
    except EbpfgenError as error:
        failure = error
    from ebpfgen.report import json_report

    say(json_report(made, warnings, each_error(failure) if failure else ()))
    return _status_of(failure) if failure else 0


def _generate_jobs(
    jobs: Sequence[Job], mode: Mode, made: list[Generated], warnings: list[str]
) -> None:
    """Generate bindings and tell of them, and keep what is told in *made* and *warnings*."""
    from ebpfgen.generate import generate

    bar = ProgressBar(hidden=mode.json or mode.quiet)

    def command(words: Sequence[str]) -> None:
        import shlex

        with bar.aside():
            warn(f"{shlex.join(words)}\n")

    def variant(done: Generated) -> None:
        raise_if_ended()
        made.append(done)
        hidden = mode.only_written and done.state == "unchanged"
        if not (mode.quiet or mode.json or hidden):
            with bar.aside():
                say(variant_line(done))

    def warning(text: str) -> None:
        warnings.append(text)
        if not mode.json:
            with bar.aside():
                warn(text)

    try:
        generate(
            jobs,
            _settings(mode),
            Observer(
                command=command if mode.verbose else None,
                warning=warning,
                variant=variant,
                progress=bar.tell,
            ),
        )
        if mode.tracked and (unknown := _untracked(jobs)):
            raise UntrackedError([relative(path) for path in unknown])
    finally:
        bar.remove()


def _untracked(jobs: Sequence[Job]) -> list[Path]:
    from ebpfgen.git import untracked_files

    return untracked_files(jobs, _here())


def _check(request: Request, mode: Mode, parse: DirectiveParser) -> int:
    """Check what is asked for, and tell what is found in words or in JSON. Raises EbpfgenError."""
    from ebpfgen.check import Checked, Finding, check
    from ebpfgen.report import check_line, finding_lines, json_findings

    try:
        jobs = _jobs(request, parse)
        checked = check(
            jobs,
            root=project_folder(_here()) if request.ident is None else None,
            rebuild=mode.rebuild,
            settings=_settings(mode),
        )
        if mode.tracked:
            known = {finding.path for finding in checked.findings}
            checked.findings.extend(
                Finding(path, "untracked", "git does not track it")
                for path in _untracked(jobs)
                if path not in known
            )
    except EbpfgenError as error:
        if not mode.json:
            raise
        checked = Checked(errors=list(each_error(error)))
    if mode.json:
        say(json_findings(checked))
        return max((_status_of(error) for error in checked.errors), default=bool(checked.findings))
    for finding in () if mode.quiet else checked.findings:
        say("\n".join(finding_lines(finding)))
    for one in checked.errors:
        tell_error(one)
    if checked.findings:
        warn(f"ebpfgen: {check_line(checked.findings)}\n")
    return _FAILED if checked.findings or checked.errors else 0


def _watch(request: Request, mode: Mode, parse: DirectiveParser) -> int:
    from ebpfgen.watch import watch

    def run(jobs: Sequence[Job]) -> None:
        _generate_jobs(jobs, mode._replace(only_written=True), [], [])

    watch(_here(), lambda: _jobs(request, parse), run, tell_error, say)
    return 0


def _settings(mode: Mode) -> Settings:
    colour = has_colours() and not mode.json
    return Settings(mode.jobs, mode.force, mode.compile_only, colour)
