"""``ebpfgen`` and ``python -m ebpfgen``."""

import gc
import os
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from ebpfgen.commands import Request
    from ebpfgen.directives import Directive

_SWITCHES = frozenset(
    {"--check", "--rebuild", "--force", "--tracked", "--json", "--quiet", "--verbose"}
)


def main() -> NoReturn:
    """Run the command line of this process and exit."""
    try:
        _main()
    except ModuleNotFoundError as error:
        # Programs of production need no more than the standard library; this command does.
        sys.exit(f"ebpfgen: {error.name} is not installed: pip install ebpfgen, without --no-deps")


def _main() -> NoReturn:
    if sys.argv[1:2] != ["generate"]:
        _run()
    # What is made here lives until the end: looking for what does not, and freeing it all then,
    # would take a tenth of the time of a run.
    gc.set_threshold(100_000)
    try:
        _run()
    except SystemExit as end:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except OSError:
            raise end from None
        if isinstance(end.code, int):
            os._exit(end.code)
        raise


def _run() -> NoReturn:
    """Run the command line and raise SystemExit.

    ``ebpfgen generate`` is run before each commit, and mostly finds nothing to do. The parser takes
    longer to import than that, so a command line of switches alone goes without.
    """
    command, *switches = sys.argv[1:] or [""]
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
