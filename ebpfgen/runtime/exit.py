"""How a program that uses generated bindings ends when something is wrong."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ebpfgen.runtime.errors import BpfError, NoVariantError

_INTERRUPTED = 130


@contextmanager
def one_line_errors(program: str, *, bindings: str = "") -> Iterator[None]:
    """End the process with one line on stderr, and no traceback, for what a user can cause.

    Such are all errors of this runtime and, where *bindings* names the generated module, that it is
    not generated yet (exit status 1); and Ctrl-C (status 130, without a line). Anything else is a
    fault of the program and keeps its traceback.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name != bindings:
            raise
        sys.exit(f"{program}: there is no module {bindings} yet: run ebpfgen generate")
    except (BpfError, NoVariantError) as error:
        sys.exit(f"{program}: {error}")
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
