"""Everything that can go wrong before a program is loaded, as one tree.

::

    EbpfgenError
    ├── UsageError            an argument or a combination of arguments makes no sense
    │   ├── TargetError       no such target
    │   └── IdentifierError   a name that Python can't use
    ├── ConfigError           pyproject.toml says something that can't be meant
    ├── SelectionError        an object has no type or map of the name that was asked for
    ├── ToolError             a program that ebpfgen runs is missing or failed to start
    ├── SourceError           the C file can't be read
    ├── CompileError          clang refused the C; carries its own text
    ├── LinkError             objects of several sources do not fit together
    ├── ObjectError           the object file is malformed or can't be bound; carries an offset
    ├── OutputError           a file can't be written, or is not ebpfgen's to overwrite
    ├── UntrackedError        git does not know files of a binding
    ├── FailedError           several bindings or sources failed; carries an error for each
    ├── ScaffoldError         a project can't be created there
    └── TraceError            the kernel's trace pipe can't be read

``str(error)`` is one line that says what, where and what to do. What a program may want to know of
an error is in its attributes. Errors of running programs are in :mod:`ebpfgen.runtime.errors`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_SHOWN = 6
"""How many files a line names."""


class EbpfgenError(Exception):
    """The base of every error that ebpfgen raises on purpose.

    ``is_typed`` says that the command line is wrong, and not a file, an object or the machine.
    """

    is_typed = False


class UsageError(EbpfgenError):
    """An argument, or a combination of arguments, makes no sense, wherever it stands."""

    is_typed = True


class TargetError(UsageError):
    """There is no target of that name."""

    def __init__(self, message: str, *, target: str) -> None:
        super().__init__(message)
        self.target = target


class IdentifierError(UsageError):
    """A name can't be used as a Python identifier."""

    def __init__(self, message: str, *, name: str) -> None:
        super().__init__(message)
        self.name = name


class ConfigError(EbpfgenError):
    """``[tool.ebpfgen]`` in a ``pyproject.toml`` is missing or can't be understood."""


class SelectionError(EbpfgenError):
    """An object has no type or map of the name that was asked for, or more than one."""


class ToolError(EbpfgenError):
    """A program that ebpfgen runs is missing or could not be started."""

    def __init__(self, message: str, *, tool: str) -> None:
        super().__init__(message)
        self.tool = tool


class SourceError(EbpfgenError):
    """A C source file is missing or can't be read."""


class CompileError(EbpfgenError):
    """clang refused the source for some targets.

    ``diagnostics`` is clang's own text, whole; ``str()`` is the line that goes below it. ``hint``
    is what to do about a well-known error, empty for others.
    """

    def __init__(
        self, source: str, reason: str, *, targets: Sequence[str], diagnostics: str, hint: str = ""
    ) -> None:
        whom = f"target {targets[0]}" if len(targets) == 1 else f"targets {', '.join(targets)}"
        super().__init__(f"{source} {reason} for {whom}" + (f": {hint}" if hint else ""))
        self.source = source
        self.reason = reason
        self.targets = tuple(targets)
        self.diagnostics = diagnostics
        self.hint = hint

    @property
    def key(self) -> str:
        """What this error says but for the targets."""
        return "\n".join((self.source, self.reason, self.hint, self.diagnostics))

    def for_targets(self, targets: Sequence[str]) -> "CompileError":
        """Return the error that says the same for other targets."""
        return CompileError(
            self.source,
            self.reason,
            targets=targets,
            diagnostics=self.diagnostics,
            hint=self.hint,
        )


class LinkError(EbpfgenError):
    """The objects of several sources do not fit together, or there is no libbpf to link them."""


class ObjectError(EbpfgenError):
    """An object file is malformed, or holds something no binding can be made of.

    ``offset`` is the byte offset of the fault within ``where`` (the file, or one of its sections),
    or None when the fault has no place.
    """

    def __init__(self, message: str, *, where: str = "", offset: int | None = None) -> None:
        place = f" in {where}" if where else ""
        if offset is not None:
            place += f" at offset {offset:#x}"
        super().__init__(f"{message}{place}")
        self.where = where
        self.offset = offset


class OutputError(EbpfgenError):
    """An output file can't be written, or was not written by ebpfgen."""


class UntrackedError(EbpfgenError):
    """A commit would lack ``files``: bindings are made of them or consist of them."""

    def __init__(self, files: Sequence[str]) -> None:
        more = f" and {len(files) - _SHOWN} more" if len(files) > _SHOWN else ""
        shown = ", ".join(files[:_SHOWN]) + more
        super().__init__(f"git does not track {shown}: git add them")
        self.files = tuple(files)


class FailedError(EbpfgenError):
    """Several bindings or sources failed: ``errors`` has what happened to each."""

    def __init__(self, errors: Sequence[EbpfgenError]) -> None:
        super().__init__("; ".join(str(error) for error in errors))
        self.errors = tuple(errors)


class ScaffoldError(EbpfgenError):
    """A new project can't be created under that name or in that folder."""


class TraceError(EbpfgenError):
    """The kernel's trace pipe can't be found or read."""


def each_error(error: EbpfgenError) -> tuple[EbpfgenError, ...]:
    """Return the errors that *error* stands for."""
    return error.errors if isinstance(error, FailedError) else (error,)


@contextmanager
def placed(place: str) -> Iterator[None]:
    """Begin errors with *place*, a file or a variable that causes them, if they lack it."""
    try:
        yield
    except EbpfgenError as error:
        error.is_typed = False
        if place not in str(error):
            error.args = (f"{place}: {error}",)
        raise
