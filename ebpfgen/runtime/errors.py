"""What can go wrong with a loaded program, as one tree.

::

    BpfError (OSError)          has .errno, as every OSError
    ├── LibraryError            libbpf is missing or too old
    ├── LoadError               the kernel refused the object; has .verifier_log and .log
    │   └── UnsupportedObjectError  for what it lacks: a NotSupportedError, too
    ├── AttachError             a program can't be attached there
    ├── MapError                a map operation failed (a missing key is a KeyError)
    ├── NotSupportedError       the kernel lacks what was asked for; .lacks names it
    └── StateError              the object was closed, or loaded before
    NoVariantError (ImportError)  no generated variant fits this machine

``str(error)`` is one line that says what failed, on what, and what to do next.
"""


class BpfError(OSError):
    """The base of all errors of running programs."""

    def __init__(self, errno: int, message: str) -> None:
        super().__init__(errno, message)
        self.message = message

    def __str__(self) -> str:
        return self.message


class LibraryError(BpfError):
    """libbpf can't be loaded, or is older than 1.0."""


class LoadError(BpfError):
    """The kernel, or libbpf on its behalf, refused to load an object.

    ``program`` and ``map`` are the C names of what was refused; both are empty if it was the object
    as a whole. ``verifier_log`` is what the kernel's verifier said of the program, empty if it was
    not the verifier; ``source`` is the line of C at which it stopped and ``place`` the file and
    number of that line, where the kernel says so. ``log`` is all that libbpf said.
    """

    def __init__(
        self,
        errno: int,
        message: str,
        verifier_log: str = "",
        log: str = "",
        *,
        program: str = "",
        map: str = "",
        source: str = "",
        place: str = "",
    ) -> None:
        super().__init__(errno, message)
        self.verifier_log = verifier_log
        self.log = log
        self.program = program
        self.map = map
        self.source = source
        self.place = place


class AttachError(BpfError):
    """A program can't be attached."""


class MapError(BpfError):
    """An operation on a map failed, other than by a key that is not there."""


class NotSupportedError(BpfError):
    """The kernel, or this libbpf, has no support for what was asked.

    ``lacks`` is its name in the kernel or libbpf, such as ``BPF_MAP_TYPE_RINGBUF``,
    ``bpf_ringbuf_output`` or ``CONFIG_DEBUG_INFO_BTF``; empty if it has none.
    """

    lacks = ""


class UnsupportedObjectError(LoadError, NotSupportedError):
    """An object needs what this kernel or this libbpf has not got."""


class StateError(BpfError):
    """The object is closed, or in a state that does not allow this."""


class NoVariantError(ImportError):
    """None of the generated variants fits the machine that imports them."""
