"""The command line: what is typed becomes one call. The only file that knows typer."""

import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NoReturn, cast

import typer

import ebpfgen
from ebpfgen.commands import Mode, Request, leave_with, run_generate
from ebpfgen.console import relative, say
from ebpfgen.directives import Directive
from ebpfgen.errors import UsageError
from ebpfgen.flags import split_flags
from ebpfgen.jobs import Options
from ebpfgen.naming import Naming

# The base of all that typer's parser raises, which has no public name of its own; what is used of
# it, BadParameter has too.
_WrongUsage = cast("type[typer.BadParameter]", typer.BadParameter.__mro__[2])

app = typer.Typer(
    name="ebpfgen",
    help="eBPF for Python: BPF C in, typed Python modules out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_GENERATE_HELP = """Compile BPF C and write typed Python modules beside the objects.

With IDENT and SOURCE one binding is generated, named after IDENT; several sources are linked.
Without, all bindings of the project that are not up to date: every [[tool.ebpfgen.bindings]] of the
nearest pyproject.toml, and every line "# ebpfgen:generate IDENT SOURCE" in the modules below it.
What follows -- goes to clang:

  ebpfgen generate --target amd64 bpf kprobe.c -- -I headers
"""


@dataclass(slots=True)
class _Invocation:
    """What commands are called with: the flags behind --, and where a directive's request goes."""

    flags: tuple[str, ...]
    is_directive: bool = False
    request: Request | None = None


@app.command(help=_GENERATE_HELP, options_metavar="[OPTIONS]", epilog="-- CFLAGS  Flags for clang.")
def generate(  # noqa: PLR0917 - typer calls it by name
    context: typer.Context,
    ident: Annotated[
        str | None, typer.Argument(metavar="IDENT", help="Name of the classes and functions.")
    ] = None,
    source: Annotated[
        list[Path] | None, typer.Argument(metavar="SOURCE...", help="The C files.")
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            "--target", "-t", metavar="TARGETS", help="Comma-separated. [default: bpfel,bpfeb]"
        ),
    ] = None,
    cc: Annotated[
        str | None,
        typer.Option(metavar="COMMAND", help="The compiler. [env: EBPFGEN_CC; default: clang]"),
    ] = None,
    cflags: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FLAGS", help="Flags for clang, quoted as for a shell. [env: EBPFGEN_CFLAGS]"
        ),
    ] = None,
    strip: Annotated[
        str | None,
        typer.Option(
            metavar="COMMAND",
            help="What removes DWARF. [env: EBPFGEN_STRIP; default: llvm-strip beside clang]",
        ),
    ] = None,
    no_strip: Annotated[
        bool, typer.Option("--no-strip", help="Keep DWARF in the objects.")
    ] = False,
    output_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Where files go. [default: here; without IDENT, beside each source]",
        ),
    ] = None,
    output_stem: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Beginning of the files' names. [default: IDENT]"),
    ] = None,
    output_suffix: Annotated[
        str | None, typer.Option(metavar="NAME", help="End of the files' names, such as _test.")
    ] = None,
    naming: Annotated[
        Naming | None,
        typer.Option(help="Spelling of programs and maps: KprobeMap or kprobe_map."),
    ] = None,
    types: Annotated[
        list[str] | None,
        typer.Option("--type", metavar="NAME", help="A type to generate though nothing uses it."),
    ] = None,
    event: Annotated[
        list[str] | None,
        typer.Option(metavar="MAP=STRUCT", help="The record type of a ring or perf buffer."),
    ] = None,
    define: Annotated[
        list[str] | None,
        typer.Option(metavar="PREFIX", help="Export the #define constants that begin so."),
    ] = None,
    global_types: Annotated[
        bool | None,
        typer.Option(
            "--global-types/--no-global-types", help="Classes for what maps and variables hold."
        ),
    ] = None,
    objects: Annotated[
        list[Path] | None,
        typer.Option(
            "--object", metavar="FILE", help="An object built elsewhere, in place of SOURCE."
        ),
    ] = None,
    makebase: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Write rules for make, relative to FOLDER. [env: EBPFGEN_MAKEBASE]",
        ),
    ] = None,
    compile_only: Annotated[
        bool, typer.Option("--compile-only", help="Write the objects, and no modules.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Generate what is up to date, too.")
    ] = False,
    jobs: Annotated[
        int,
        typer.Option(
            "--jobs", "-j", min=0, metavar="N", help="Variants made at once. [default: CPUs]"
        ),
    ] = 0,
    check: Annotated[
        bool,
        typer.Option("--check", help="Change nothing; exit 1 and list what is not up to date."),
    ] = False,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="With --check: build everything and compare.")
    ] = False,
    tracked: Annotated[
        bool,
        typer.Option("--tracked", help="Fail if git lacks a file of a binding. For hooks and CI."),
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Generate again whenever an input changes.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print warnings and errors only.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show the command lines that are run.")
    ] = False,
) -> None:
    """Generate bindings."""
    invocation: _Invocation = context.obj
    flags = [flag for text in cflags or () for flag in split_flags(text, "--cflags")]
    options = Options(
        targets=tuple(target or ()),
        cc=cc,
        cflags=(*flags, *invocation.flags),
        strip=strip,
        # Who names a program to strip with wants that done, whatever the configuration says.
        no_strip=no_strip or (False if strip else None),
        output_dir=output_dir,
        output_stem=output_stem,
        output_suffix=output_suffix,
        naming=naming,
        types=tuple(types or ()),
        events=tuple(event or ()),
        global_types=global_types,
        defines=tuple(define or ()),
        objects=tuple(objects or ()),
        makebase=makebase,
    )
    request = Request(ident, tuple(source or ()), options)
    mode = Mode(
        check=check,
        rebuild=rebuild,
        tracked=tracked,
        watch=watch,
        force=force,
        compile_only=compile_only,
        jobs=jobs,
        json=json,
        quiet=quiet,
        verbose=verbose,
    )
    if not invocation.is_directive:
        raise typer.Exit(run_generate(request, mode, parse_directive))
    if mode != Mode():
        raise UsageError("a directive says what to generate; how, the command line says")
    invocation.request = request


@app.command()
def new(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Folder and name of the project.")
    ] = None,
    template: Annotated[str, typer.Option(help="What to begin with.")] = "kprobe",
    description: Annotated[str | None, typer.Option(help="One line for its README.")] = None,
) -> None:
    """Create a project that counts system calls."""
    from ebpfgen.scaffold import create_project

    ask = name is None and sys.stdin.isatty()
    if name is None:
        if not ask:
            raise UsageError("NAME is missing: ebpfgen new NAME")
        name = typer.prompt("Name of the project")
    project = create_project(Path(name), template, description=description, ask=ask)
    sudo = "" if os.geteuid() == 0 else "sudo "
    say(f"created {relative(project.folder)}; next:")
    say(f"  cd {shlex.quote(relative(project.folder))}")
    say("  ebpfgen generate")
    say(f"  {sudo}{shlex.quote(sys.executable)} -m {project.package}")


@app.command()
def trace(
    raw: Annotated[bool, typer.Option("--raw", help="Print the kernel's own lines.")] = False,
) -> None:
    """Follow what bpf_printk writes, until Ctrl-C."""
    from ebpfgen.trace import follow

    try:
        for line in follow(raw=raw):
            say(line)
    except KeyboardInterrupt:
        return


def _version(wanted: bool) -> None:
    if wanted:
        say(f"ebpfgen {ebpfgen.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Take the options that come before a command."""


def main(words: Sequence[str]) -> NoReturn:
    """Run a command line and exit; 0 is success, 1 an error, 2 a wrong usage."""
    leave_with(lambda: _run(words))


def parse_directive(directive: Directive) -> Request:
    """Return what a directive asks for. Raises UsageError, that names no place."""
    words, flags = _split_words(directive.words)
    invocation = _Invocation(flags, is_directive=True)
    if not {"-h", "--help"}.isdisjoint(words):
        raise UsageError("a directive is IDENT SOURCE, with options")
    _run_app(["generate", *words], invocation, "ebpfgen generate --help")
    if invocation.request is None:
        raise UsageError("a directive is IDENT SOURCE, with options")
    return invocation.request


def _run(words: Sequence[str]) -> int:
    flags: tuple[str, ...] = ()
    if words and words[0] == "generate":
        words, flags = _split_words(words)
    return _run_app(list(words) or ["--help"], _Invocation(flags), "ebpfgen --help")


def _run_app(words: list[str], invocation: _Invocation, manual: str) -> int:
    """Run a command and return its status. Raises UsageError that names the *manual*."""
    try:
        # What a command leaves with, such as 130 for Ctrl-C, comes back instead of being raised.
        status: int | None = app(words, prog_name="ebpfgen", obj=invocation, standalone_mode=False)
    except _WrongUsage as error:
        raise UsageError(f"{error.format_message().rstrip('.')} (see {manual})") from error
    except typer.Abort as error:
        raise KeyboardInterrupt from error
    return status or 0


def _split_words(words: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Split at the first --: what follows is clang's, and never one of our own arguments."""
    split = words.index("--") if "--" in words else len(words)
    return list(words[:split]), tuple(words[split + 1 :])
