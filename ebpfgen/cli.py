"""The command line: what is typed becomes one call. The only file that knows typer."""

import os
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, NoReturn, cast

import typer

import ebpfgen
from ebpfgen.commands import Mode, Request, leave_with, run_generate
from ebpfgen.console import relative, say, standard_output, warn
from ebpfgen.directives import Directive
from ebpfgen.errors import UsageError
from ebpfgen.flags import split_flags
from ebpfgen.jobs import Options
from ebpfgen.naming import Naming
from ebpfgen.process import Orderly

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

With IDENT and SOURCE, generate one binding, named after IDENT; several sources are linked. Without,
generate every binding of the project that is not up to date: each [[tool.ebpfgen.bindings]] of the
nearest pyproject.toml, and each line "# ebpfgen:generate IDENT SOURCE" in the modules below it. The
words after -- are flags for clang:

  ebpfgen generate --target amd64 bpf kprobe.c -- -I headers

--target, --cflags, --type, --event, --define and --object may be repeated.
"""


@dataclass(slots=True)
class _Invocation:
    """What a command line is parsed with, the flags behind --, and to: an action, or a request."""

    flags: tuple[str, ...]
    is_directive: bool = False
    request: Request | None = None
    action: Callable[[], int] | None = None


@app.command(help=_GENERATE_HELP)
def generate(  # noqa: PLR0917 - typer calls it by name
    context: typer.Context,
    ident: Annotated[str | None, typer.Argument(metavar="IDENT", hidden=True)] = None,
    source: Annotated[list[str] | None, typer.Argument(metavar="SOURCE", hidden=True)] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            "--target",
            "-t",
            metavar="TARGETS",
            help="Comma-separated, such as amd64,arm64. [default: bpfel,bpfeb]",
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
            help="The program that strips DWARF. [env: EBPFGEN_STRIP; default: the llvm-strip "
            "beside clang]",
        ),
    ] = None,
    no_strip: Annotated[
        bool, typer.Option("--no-strip", help="Keep DWARF in the objects.")
    ] = False,
    output_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Folder of the generated files. [default: the current one; without IDENT, that "
            "of each source]",
        ),
    ] = None,
    output_stem: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Start of the file names. [default: IDENT in lower case]"
        ),
    ] = None,
    output_suffix: Annotated[
        str | None, typer.Option(metavar="NAME", help="End of the file names, such as _test.")
    ] = None,
    naming: Annotated[
        str | None,
        typer.Option(
            metavar="camel|snake",
            help="Names of programs, maps and variables: KprobeMap or kprobe_map. [default: camel]",
        ),
    ] = None,
    types: Annotated[
        list[str] | None,
        typer.Option("--type", metavar="NAME", help="Generate this type even if nothing uses it."),
    ] = None,
    event: Annotated[
        list[str] | None,
        typer.Option(metavar="MAP=STRUCT", help="The record type of a ring or perf buffer."),
    ] = None,
    define: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PREFIX", help="Export the #define constants whose names start with PREFIX."
        ),
    ] = None,
    global_types: Annotated[
        bool | None,
        typer.Option(
            "--global-types/--no-global-types",
            help="Generate the types of maps and variables. [default: global-types]",
        ),
    ] = None,
    objects: Annotated[
        list[str] | None,
        typer.Option(
            "--object", metavar="FILE", help="An object built elsewhere, instead of SOURCE."
        ),
    ] = None,
    makebase: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Write rules for make, with paths relative to FOLDER. [env: EBPFGEN_MAKEBASE]",
        ),
    ] = None,
    compile_only: Annotated[
        bool, typer.Option("--compile-only", help="Write objects, but no modules.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Regenerate even if up to date.")
    ] = False,
    jobs: Annotated[
        str | None,
        typer.Option("--jobs", "-j", metavar="N", help="Variants built at once. [default: CPUs]"),
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Change nothing; exit 1 and list what is not up to date."),
    ] = False,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="With --check: build everything and compare.")
    ] = False,
    tracked: Annotated[
        bool,
        typer.Option("--tracked", help="Fail if git does not track a binding's inputs or outputs."),
    ] = False,
    watch: Annotated[
        bool,
        typer.Option("--watch", "-w", help="Generate again whenever an input changes."),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print warnings and errors only.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Print the command lines that are run.")
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
        naming=_naming(naming),
        types=tuple(types or ()),
        events=tuple(event or ()),
        global_types=global_types,
        defines=tuple(define or ()),
        objects=_files(objects, "--object"),
        makebase=makebase,
    )
    request = Request(ident, _files(source, "SOURCE"), options)
    mode = Mode(
        check=check,
        rebuild=rebuild,
        tracked=tracked,
        watch=watch,
        force=force,
        compile_only=compile_only,
        jobs=_count(jobs),
        json=json,
        quiet=quiet,
        verbose=verbose,
    )
    if invocation.is_directive and mode != Mode():
        raise UsageError("a directive says what to generate; how, the command line says")
    invocation.request = request
    invocation.action = partial(run_generate, request, mode, parse_directive)


@app.command()
def new(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="NAME", hidden=True)] = None,
    template: Annotated[
        str, typer.Option(metavar="TEMPLATE", help="The project to start from.")
    ] = "kprobe",
    description: Annotated[
        str | None, typer.Option(metavar="TEXT", help="One line for its README.")
    ] = None,
) -> None:
    """Create a project that counts system calls.

    NAME is the name of the project, and of the folder that is created for it. It is asked for on a
    terminal if it is left out.
    """
    context.obj.action = partial(_create, name, template, description)


@app.command()
def trace(
    context: typer.Context,
    raw: Annotated[bool, typer.Option("--raw", help="Print the kernel's own lines.")] = False,
) -> None:
    """Follow what bpf_printk writes, until Ctrl-C."""
    context.obj.action = partial(_follow, raw)


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
    _parse(["generate", *words], invocation)
    if invocation.request is None:
        raise UsageError("a directive is IDENT SOURCE, with options")
    return invocation.request


def _run(words: Sequence[str]) -> int:
    flags: tuple[str, ...] = ()
    if words and words[0] == "generate":
        words, flags = _split_words(words)
    invocation = _Invocation(flags)
    status = _parse(list(words) or ["--help"], invocation)
    return invocation.action() if invocation.action else status


def _parse(words: list[str], invocation: _Invocation) -> int:
    """Parse a command line, or print what --help or --version asks for; the status of that.

    Raises UsageError that names the manual.
    """
    try:
        with standard_output():
            # The status of Ctrl-C, 130, is returned, too.
            status: int | None = app(
                words, prog_name="ebpfgen", obj=invocation, standalone_mode=False
            )
    except _WrongUsage as error:
        manual = f"{error.ctx.command_path if error.ctx else 'ebpfgen'} --help"
        raise UsageError(f"{error.format_message().rstrip('.')} (see {manual})") from error
    return status or 0


def _split_words(words: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Split at the first --: what follows is clang's, and never one of our own arguments."""
    split = words.index("--") if "--" in words else len(words)
    return list(words[:split]), tuple(words[split + 1 :])


def _files(names: Sequence[str] | None, option: str) -> tuple[Path, ...]:
    """Make paths of *names*. Raises UsageError for an empty one, which would be the folder."""
    if names and "" in names:
        raise UsageError(f"{option} is empty: name a file")
    return tuple(map(Path, names or ()))


def _naming(name: str | None) -> Naming | None:
    """Find the naming called *name*. Raises UsageError."""
    if name is None:
        return None
    if name not in list(Naming):
        raise UsageError(f"--naming {name!r} is unknown: pass {' or '.join(Naming)}")
    return Naming(name)


def _count(text: str | None) -> int:
    """Read the number of ``--jobs``; without one it is 0. Raises UsageError."""
    if text is None:
        return 0
    if not re.fullmatch("[0-9]{1,6}", text):
        raise UsageError(f"--jobs {text!r} is not a number of variants: pass 1 or more")
    return int(text)


def _create(name: str | None, template: str, description: str | None) -> int:
    """Create a project and print what to do next. Raises UsageError without a name."""
    ask = name is None and sys.stdin.isatty() and sys.stdout.isatty()
    if name is None and ask:
        name = _ask_name()
    if not name:
        raise UsageError("NAME is missing: ebpfgen new NAME")
    from ebpfgen.scaffold import create_project

    with Orderly():
        project = create_project(Path(name), template, description=description, ask=ask)
    sudo = "" if os.geteuid() == 0 else "sudo "
    say(f"created {relative(project.folder)}; next:")
    say(f"  cd {shlex.quote(relative(project.folder))}")
    say("  ebpfgen generate")
    say(f"  {sudo}{shlex.quote(sys.executable)} -m {project.package}")
    return 0


def _ask_name() -> str | None:
    """Ask for the name of a project; None if the input ends (Ctrl-D)."""
    with Orderly():
        try:
            while not (name := input("Name of the project: ").strip()):
                pass
        except EOFError:
            warn("\n")
            return None
        except KeyboardInterrupt:
            warn("\n")
            raise
        return name


def _follow(raw: bool) -> int:
    from ebpfgen.trace import follow

    for line in follow(raw=raw):
        say(line)
    return 0
