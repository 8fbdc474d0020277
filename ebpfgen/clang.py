"""Finds clang and llvm-strip, runs them, and explains their best-known errors."""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ebpfgen.errors import CompileError, SourceError, ToolError
from ebpfgen.flags import include_folders, relative_includes, shown_path
from ebpfgen.inputs import check_file, shortened
from ebpfgen.target import Target
from ebpfgen.tools import CommandObserver, no_scratch, run_tool, scratch_folder

DEFAULT_CC = "clang"
DEFAULT_CFLAGS = ("-O2", "-g", "-mcpu=v1")
"""Optimised as the verifier needs, with BTF, for the oldest instruction set: runs everywhere."""

# How a terminal is told of colours and weights.
_COLOUR = re.compile(r"\x1b\[[0-9;]*[mK]")

# What clang says, and a crash report besides, if it can't write the object.
_NO_ROOM = re.compile(r"(?:IO failure on output stream|unable to open output file .*): '?([^'\n]+)")

# What clang says, and the line that helps a person who reads it.
_HINTS = (
    (
        r"Must specify a BPF target arch",
        "PT_REGS_* macros read CPU registers, so name the CPU: pass --target amd64 (or arm64, …)",
    ),
    (
        r"'(?:bpf/)?(?:bpf_\w+|usdt\.bpf)\.h' file not found",
        "install libbpf's headers (libbpf-dev on Debian, Ubuntu and Alpine, libbpf-devel on "
        "Fedora, libbpf on Arch), or name their folder: -- -I headers",
    ),
    (
        r"'asm/[\w.]+' file not found",
        'the kernel\'s own headers need the architecture\'s: include "common.h" or "vmlinux.h" '
        "in place of <linux/…> headers",
    ),
    (
        r"'vmlinux\.h' file not found",
        "make it: bpftool btf dump file /sys/kernel/btf/vmlinux format c > vmlinux.h, "
        "and name its folder with -I",
    ),
    (r"'common\.h' file not found", "name the folder of common.h: -- -I headers"),
    (
        r"No available targets are compatible with triple|unknown target triple 'bpf",
        "this clang was built without BPF: install your distribution's clang, or name one: --cc",
    ),
)


class Toolchain(NamedTuple):
    """The programs that make an object: the compiler's command line begins with ``cc``.

    ``strip`` is empty if objects shall keep their DWARF. With ``colour``, clang writes what it says
    for a terminal.
    """

    cc: tuple[str, ...]
    strip: str
    colour: bool = False


class Compilation(NamedTuple):
    """A compiled object, what clang said on the way (its warnings), and what it read.

    ``inputs`` are the source and the headers it includes, without the system's; ``parts`` are the
    objects that it was linked of, if it was.
    """

    object: bytes
    diagnostics: str
    inputs: tuple[Path, ...] = ()
    parts: tuple[bytes, ...] = ()


def find_toolchain(
    cc: str | None = None, strip: str | None = None, *, no_strip: bool = False, colour: bool = False
) -> Toolchain:
    """Find the compiler *cc*, which may have arguments (``ccache clang``), and its llvm-strip.

    A versioned clang (``clang-16``) is stripped with the llvm-strip of that version where there is
    one, unless *strip* names another program. Raises ToolError with the package to install.
    """
    cc = DEFAULT_CC if cc is None else cc
    try:
        words = shlex.split(cc)
    except ValueError as error:
        raise ToolError(f"compiler {cc!r} can't be split into words: {error}", tool=cc) from error
    if not words:
        raise ToolError("the compiler's name is empty: --cc clang", tool=cc)
    compiler = next((word for word in words if "clang" in Path(word).name), words[0])
    for program in (words[0], compiler):
        if shutil.which(program) is None:
            raise _missing(program)
    if strip and not no_strip and shutil.which(strip) is None:
        raise ToolError(f"{strip} not found: check --strip", tool=strip)
    found = "" if no_strip else strip or _find_strip(compiler)
    return Toolchain(tuple(words), found, colour)


def compile_source(
    source: Path,
    target: Target,
    cflags: Sequence[str],
    *,
    toolchain: Toolchain,
    folder: Path,
    observe: CommandObserver | None = None,
) -> Compilation:
    """Compile one C file for one target, in *folder*, to which relative flags refer.

    The result names no compiler and, once it is stripped, no absolute path: it is the same wherever
    the project lies. *observe* is called with the command line before it runs.

    Raises SourceError if there is no such file, CompileError if clang refuses it, ToolError if a
    program can't be run, OutputError without room for temporary files.
    """
    command = compiler_command(source, target, cflags, toolchain=toolchain, folder=folder)
    with scratch_folder() as scratch:
        output, depfile = scratch / "object.o", scratch / "object.d"
        # -MMD would leave out the headers of -isystem folders, which may be the project's.
        arguments = ("-MD", "-MF", str(depfile), "-c", shown_path(source, folder))
        colour = ["-fcolor-diagnostics"] if toolchain.colour else []
        done = run_tool([*command, *colour, *arguments, "-o", str(output)], folder, observe)
        if done.returncode:
            if full := _NO_ROOM.search(done.stderr):
                raise no_scratch(full[1])
            raise refusal(source, target, done, folder=folder)
        if not output.exists() or not depfile.exists():
            cc = shlex.join(toolchain.cc)
            raise ToolError(f"{cc} ended well but wrote no object: check --cc", tool=cc)
        names = _prerequisites(os.fsdecode(depfile.read_bytes()))
        inputs = tuple(folder / name for name in names if _is_own(name, source, folder, command))
        return Compilation(output.read_bytes(), done.stderr, inputs)


def compiler_command(
    source: Path, target: Target, cflags: Sequence[str], *, toolchain: Toolchain, folder: Path
) -> list[str]:
    """Return the command line for a source, up to what shall be done with it.

    Raises SourceError if there is no such file.
    """
    _check_source(source, shortened(shown_path(source, folder)))
    flags = relative_includes(cflags, folder)
    return [
        *toolchain.cc,
        *("-target", target.clang),
        *DEFAULT_CFLAGS,
        *target.defines,
        *flags,
        *("-fno-ident", "-fno-addrsig"),
        *_reproducible(source, shown_path(source, folder), flags),
    ]


def _check_source(source: Path, shown: str) -> None:
    try:
        check_file(source)
    except FileNotFoundError as error:
        raise SourceError(f"no C source {shown}: check the path") from error
    except OSError as error:
        raise SourceError(f"C source {shown} can't be read: {error.strerror}") from error


def strip_objects(
    objects: Sequence[bytes],
    strip: str,
    *,
    folder: Path,
    observe: CommandObserver | None = None,
) -> list[bytes]:
    """Return *objects* without DWARF, which has served when their BTF is there.

    They are stripped together, as the program *strip* takes longer to start than to strip one.
    Raises ToolError if it fails.
    """
    with scratch_folder() as scratch:
        files = [scratch / f"{number}.o" for number in range(len(objects))]
        try:
            for file, data in zip(files, objects, strict=True):
                file.write_bytes(data)
        except OSError as error:
            raise no_scratch(error.strerror) from error
        done = run_tool([strip, "-g", *map(str, files)], folder, observe)
        if done.returncode:
            raise ToolError(f"{strip} failed: {_first_line(done.stderr)}", tool=strip)
        return [file.read_bytes() for file in files]


def refusal(
    source: Path, target: Target, done: subprocess.CompletedProcess[str], *, folder: Path
) -> CompileError:
    """Return the error for what clang refused, with a hint if it is a well-known one."""
    return CompileError(
        shown_path(source, folder),
        _outcome(done.returncode),
        targets=(target.name,),
        diagnostics=done.stderr,
        hint=_hint(done),
    )


def _prerequisites(depfile: str) -> list[str]:
    """Return the files that a Makefile rule, as clang writes it, depends on."""
    _, _, names = depfile.replace("\\\n", " ").partition(": ")
    found = re.findall(r"(?:\\.|[^\s\\])+", names)
    return [re.sub(r"\\(.)", r"\1", name).replace("$$", "$") for name in found]


def _is_own(name: str, source: Path, folder: Path, flags: Sequence[str]) -> bool:
    """Return whether a file that clang read is the project's, and not the machine's.

    The machine's headers have absolute names, and nobody named their folder, or they lie in
    ``/usr``: bindings do not go stale because a distribution has updated its packages.
    """
    path, home = Path(name), Path(shown_path(source, folder)).parent
    if not path.is_absolute() or path.is_relative_to(home):
        return True
    return not path.is_relative_to("/usr") and any(
        path.is_relative_to(near) for near in include_folders(flags)
    )


def _find_strip(compiler: str) -> str:
    found = Path(shutil.which(compiler) or compiler)
    version = re.search(r"clang(-\d+)$", compiler)
    candidates = [str(found.resolve().with_name("llvm-strip")), "llvm-strip"]
    if version:
        versioned = f"llvm-strip{version[1]}"
        candidates = [str(found.with_name(versioned)), versioned, *candidates]
    for candidate in candidates:
        if strip := shutil.which(candidate):
            return strip
    raise _missing("llvm-strip")


def _missing(program: str) -> ToolError:
    if "clang" not in program and "llvm" not in program:
        return ToolError(f"compiler {program} not found: check --cc", tool=program)
    packages = "llvm" if "strip" in program else "clang llvm"
    other = "" if "strip" in program else ", or name another with --cc"
    return ToolError(
        f"{program} not found: install it (apt install {packages}, dnf install {packages}, "
        f"pacman -S {packages}, apk add {packages}){other}",
        tool=program,
    )


def _reproducible(source: Path, shown: str, cflags: Sequence[str]) -> list[str]:
    """Return the flags that keep this machine's paths out of the object.

    Line information names each file as clang opened it. What still has an absolute name is named
    relative to its own folder.
    """
    flags = ["-fdebug-compilation-dir=."]
    home = source.resolve().parent
    elsewhere = {Path(name) for name in include_folders(cflags) if name.startswith("/")}
    for path in sorted({home, Path("/usr/include"), *elsewhere}, reverse=True):
        flags.append(f"-ffile-prefix-map={path}={'.' if path == home else path.name}")
    unread = elsewhere or shown.startswith("/")
    if unread and not any(flag == "-g0" or flag.startswith("-gdwarf-") for flag in cflags):
        # The lines of C that the verifier quotes are read by the name the object has for the file,
        # where there is none: the debug information has to hold them, until it is stripped.
        flags += ["-gdwarf-5", "-gembed-source"]
    return flags


def _outcome(status: int) -> str:
    killed = f" (clang was killed by signal {-status})" if status < 0 else ""
    return f"does not compile{killed}"


def _hint(done: subprocess.CompletedProcess[str]) -> str:
    said = _COLOUR.sub("", done.stderr)
    hints = (hint for pattern, hint in _HINTS if re.search(pattern, said))
    return next(hints, "")


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0] or "no message"
