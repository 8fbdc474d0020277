"""The command line: parses, calls one function, prints, sets the exit status."""

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn, cast

import typer

import ebpfgen
from ebpfgen.errors import CompileError, EbpfgenError, UsageError
from ebpfgen.naming import Naming

_FAILED, _USAGE, _INTERRUPTED = 1, 2, 130

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

With IDENT and SOURCE one binding is generated, named after IDENT; without, every
[[tool.ebpfgen.bindings]] of the nearest pyproject.toml. What follows -- goes to clang:

  ebpfgen generate --target amd64 bpf kprobe.c -- -I headers
"""


@app.command(help=_GENERATE_HELP, options_metavar="[OPTIONS]", epilog="-- CFLAGS  Flags for clang.")
def generate(  # noqa: PLR0917 - typer calls it by name
    context: typer.Context,
    ident: Annotated[
        str | None, typer.Argument(metavar="IDENT", help="Name of the classes and functions.")
    ] = None,
    source: Annotated[Path | None, typer.Argument(metavar="SOURCE", help="The C file.")] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            "--target", "-t", metavar="TARGETS", help="Comma-separated. [default: bpfel,bpfeb]"
        ),
    ] = None,
    cc: Annotated[
        str | None, typer.Option(metavar="COMMAND", help="The compiler. [default: clang]")
    ] = None,
    cflags: Annotated[
        list[str] | None,
        typer.Option(metavar="FLAGS", help="Flags for clang, quoted as for a shell."),
    ] = None,
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
        bool,
        typer.Option(
            "--global-types/--no-global-types", help="Classes for what maps and variables hold."
        ),
    ] = True,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show the command lines that are run.")
    ] = False,
) -> None:
    """Generate bindings."""
    from ebpfgen.config import Options, job_from_arguments, jobs_from_config, split_flags
    from ebpfgen.generate import generate as run

    flags = [flag for text in cflags or () for flag in split_flags(text, "--cflags")]
    options = Options(
        targets=tuple(target or ()),
        cc=cc,
        cflags=(*flags, *context.obj),
        output_dir=output_dir,
        output_stem=output_stem,
        naming=naming,
        types=tuple(types or ()),
        events=tuple(event or ()),
        global_types=global_types,
        defines=tuple(define or ()),
    )
    if ident is None:
        jobs = jobs_from_config(Path.cwd(), options)
    elif source is None:
        raise UsageError(f"SOURCE is missing: ebpfgen generate {ident} FILE.c")
    else:
        jobs = [job_from_arguments(ident, source, Path.cwd(), options)]
    for variant in run(jobs, observe_command=_print_command if verbose else None, warn=_warn):
        size = f"{variant.object_size / 1000:.1f} kB"
        print(f"{variant.source} → {_relative(variant.module)} and .o ({size})")


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
    print(f"created {_relative(project.folder)}; next:")
    print(f"  cd {shlex.quote(_relative(project.folder))}")
    print("  ebpfgen generate")
    print(f"  {sudo}{shlex.quote(sys.executable)} -m {project.package}")


@app.command()
def trace(
    raw: Annotated[bool, typer.Option("--raw", help="Print the kernel's own lines.")] = False,
) -> None:
    """Follow what bpf_printk writes, until Ctrl-C."""
    from ebpfgen.trace import follow

    try:
        for line in follow(raw=raw):
            print(line, flush=True)
    except KeyboardInterrupt:
        return


def _version(wanted: bool) -> None:
    if wanted:
        print(f"ebpfgen {ebpfgen.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Take the options that come before a command."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit; 0 is success, 1 an error, 2 a wrong usage."""
    words = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    # What follows -- is clang's, and never one of our own arguments.
    split = words.index("--") if words[0] == "generate" and "--" in words else len(words)
    flags = tuple(words[split + 1 :])
    try:
        # What a command leaves with, such as 130 for Ctrl-C, comes back instead of being raised.
        status: int | None = app(
            words[:split], prog_name="ebpfgen", obj=flags, standalone_mode=False
        )
    except _WrongUsage as error:
        _fail(f"{error.format_message().rstrip('.')} (see ebpfgen --help)", _USAGE)
    except typer.Abort:
        sys.exit(_INTERRUPTED)
    except CompileError as error:
        _warn(error.diagnostics)
        _fail(str(error), _FAILED)
    except UsageError as error:
        _fail(str(error), _USAGE)
    except EbpfgenError as error:
        _fail(str(error), _FAILED)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has gone; Python would say so again when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(_FAILED)
    sys.exit(status)


def _fail(message: str, status: int) -> NoReturn:
    print(f"ebpfgen: {message}", file=sys.stderr)
    sys.exit(status)


def _warn(text: str) -> None:
    print(text, end="", file=sys.stderr)


def _print_command(command: Sequence[str]) -> None:
    print(shlex.join(command), file=sys.stderr)


def _relative(path: Path) -> str:
    return os.path.relpath(path)
