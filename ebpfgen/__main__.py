"""``ebpfgen`` and ``python -m ebpfgen``."""

import gc
import sys

from ebpfgen import process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from ebpfgen.commands import Request
    from ebpfgen.directives import Directive

_SWITCHES = frozenset(
    {"--check", "--rebuild", "--force", "--tracked", "--json", "--quiet", "--verbose"}
)


def main() -> "NoReturn":
    """Run the command line of this process and exit."""
    process.start()
    try:
        _run()
    except SystemExit as end:
        process.leave(end.code if isinstance(end.code, int) else 0)
    except ModuleNotFoundError as error:
        # Programs of production need no more than the standard library; this command does.
        sys.stderr.write(
            f"ebpfgen: {error.name} is not installed: pip install ebpfgen, without --no-deps\n"
        )
        process.leave(1)
    except BaseException:
        if process.has_ended():
            process.leave(0)
        raise


def _run() -> "NoReturn":
    """Run the command line and raise SystemExit.

    ``ebpfgen generate`` is run before each commit, and mostly finds nothing to do. The parser takes
    longer to import than that, so a command line of switches alone goes without.
    """
    command, *switches = sys.argv[1:] or [""]
    if command == "generate":
        # What is made here lives until the end: looking for what does not would take a tenth of
        # the time of a run.
        gc.set_threshold(100_000)
    if command == "generate" and _SWITCHES.issuperset(switches):
        from ebpfgen.commands import Mode, Request, leave_with, run_generate

        mode = Mode(**{switch.removeprefix("--"): True for switch in switches})
        leave_with(lambda: run_generate(Request(), mode, _parse_directive))
    from ebpfgen import cli

    cli.main(sys.argv[1:])


def _parse_directive(directive: "Directive") -> "Request":
    from ebpfgen.cli import parse_directive

    return parse_directive(directive)


if __name__ == "__main__":
    main()
