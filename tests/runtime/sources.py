"""The C files of the tests: which bindings are made of them, and how."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ebpfgen.jobs import Options, job_from_arguments

HERE = Path(__file__).parent
HEADERS = HERE.parents[1] / "headers"
VICTIM = HERE / "programs" / "victim.c"
"""A program of user space."""


@dataclass(frozen=True)
class Sources:
    """C files with the same options; each becomes a module that has its name."""

    files: Sequence[Path]
    options: Options

    def compile_into(self, folder: Path) -> None:
        from ebpfgen.generate import generate  # not where nothing is compiled: it takes its time

        generate([job_from_arguments(file.stem, file, folder, self.options) for file in self.files])


def _files(pattern: str) -> list[Path]:
    return [file for file in sorted(HERE.glob(pattern)) if file != VICTIM]


_INCLUDE = ("-I", str(HEADERS))
MAPS = Sources(
    [*_files("*.c"), *_files("maps/*.c"), *_files("events/user_ringbuf.c")],
    Options(cflags=_INCLUDE),
)
PROGRAMS = Sources(_files("programs/*.c"), Options(targets=("native",), cflags=_INCLUDE))
BUFFERS = Sources(_files("events/buffers.c"), Options(cflags=_INCLUDE, types=("order",)))


def compile_victim(program: Path) -> str:
    """Compile the program of user space; gives what clang says if it can't."""
    command = ["clang", "-O1", "-o", str(program), str(VICTIM)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


def compile_all(folder: Path) -> None:
    """Make all bindings and the program, for a machine on which compiling takes long."""
    for sources in (MAPS, PROGRAMS, BUFFERS):
        sources.compile_into(folder)
    compile_victim(folder / VICTIM.stem)
