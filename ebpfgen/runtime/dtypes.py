"""C values as numpy arrays, where numpy is installed: nothing else here needs it."""

from types import ModuleType
from typing import Any, Protocol, TypeAlias, runtime_checkable

from ebpfgen.runtime.codec import Array, Chars, EnumCodec, Raw, Scalar, Wide
from ebpfgen.runtime.records import DType

# numpy.typing.NDArray, which strict checkers would not find without numpy: see records.DType.
NDArray: TypeAlias = Any


@runtime_checkable
class HasDType(Protocol):
    """A codec that knows its numpy type: the generated classes do."""

    def dtype(self) -> DType:
        """Return the type as numpy reads it."""


def numpy() -> ModuleType:
    """Return numpy. Raises ImportError that says how to have it."""
    try:
        import numpy as np
    except ImportError as error:
        raise ImportError("arrays need numpy: pip install numpy") from error
    return np


def dtype_of(codec: object) -> DType:
    """Return the numpy type of a codec's values. Raises ImportError without numpy.

    ``char[N]`` is ``S``, and what Python has as bytes are N numbers; 128-bit integers are 16 bytes.
    """
    return numpy().dtype(_described(codec))


def _described(codec: object) -> object:
    """Return what numpy makes a type of."""
    found: object = None
    match codec:
        case Scalar(layout=layout):
            found = layout
        case EnumCodec(number=number):
            found = _described(number)
        case Array(element=element, count=count):
            found = (_described(element), (count,))
        case Chars(SIZE=size):
            found = f"S{size}"
        case Raw(SIZE=size):
            found = ("u1", (size,))
        case Wide():
            found = "V16"
        case HasDType():
            found = codec.dtype()
    if found is None:
        raise TypeError(f"{codec!r} has no numpy type")
    return found


def array_from(data: bytearray, dtype: DType) -> NDArray:
    """Return the values that lie in *data*, which the array keeps."""
    return numpy().frombuffer(data, dtype)
