"""Values of ``#define`` constants, as the compiler has them.

clang lists the macros of a source, says what each expands to, and evaluates those it takes for
integer constants, in the BPF target's own arithmetic. Nothing of C is evaluated here.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

from ebpfgen.clang import Toolchain, compiler_command, refusal
from ebpfgen.elf import Elf, read_elf
from ebpfgen.flags import shown_path
from ebpfgen.target import Target
from ebpfgen.tools import CommandObserver, no_scratch, run_tool, scratch_folder

_MARKER = re.compile(r'# \d+ "(.*)"(?: [1-4])*')
_DIRECTIVE = re.compile(r"#(define|undef) ([^\s(]+)(\(?)")
_LITERAL = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'')
_BRACKET = re.compile(r"<[:%]|[:%]>|[()\[\]{};]")
_DIGRAPHS = {"<:": "[", ":>": "]", "<%": "{", "%>": "}"}
_CLOSED_BY = {"(": ")", "[": "]", "{": "}"}

_SECTION = ".ebpfgen.defines"
_SYMBOL = "__ebpfgen_define_"
_BEGIN, _END = "__ebpfgen_begin_", "__ebpfgen_end"
_EXPANSION = re.compile(rf"{_BEGIN}(\d+)\b(.*?){_END}\b", re.DOTALL)

# Whatever the project's flags say: errors are what the evaluation is about, one for each line that
# is no constant, in a form that can be read.
_FLAGS = (
    "-w",
    "-ferror-limit=0",
    "-fno-color-diagnostics",
    "-fdiagnostics-format=clang",
)


def read_defines(
    source: Path,
    target: Target,
    cflags: Sequence[str],
    prefixes: Sequence[str],
    *,
    toolchain: Toolchain,
    folder: Path,
    observe: CommandObserver | None = None,
) -> dict[str, int]:
    """Return the integer constants that *source* sees by a ``#define``, sorted by name.

    They are the object-like macros that are defined at its end, by itself, by a header or by a
    ``-D`` of *cflags*, but not by the compiler; whose name begins with one of *prefixes*; and
    whose value is an integer constant expression of C, of up to 128 bits. What is anything else
    (a string, a type, a statement, a number with a fraction, nothing) is left out.

    *folder* and *observe* are those of :func:`~ebpfgen.clang.compile_source`.

    Raises SourceError if there is no such file, CompileError if clang refuses it, ToolError if
    clang can't be run.
    """
    command = compiler_command(source, target, cflags, toolchain=toolchain, folder=folder)
    if not prefixes:
        return {}
    with scratch_folder() as scratch:
        clang = _Clang(
            path=source,
            target=target,
            folder=folder,
            command=(*command, *_FLAGS),
            observe=observe,
            scratch=scratch,
        )
        names = [name for name in sorted(clang.macros()) if name.startswith(tuple(prefixes))]
        return clang.evaluate(clang.candidates(names))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clang:
    """clang on one source."""

    path: Path
    target: Target
    folder: Path
    command: Sequence[str]
    observe: CommandObserver | None
    scratch: Path

    @property
    def source(self) -> str:
        """The source as clang is told of it."""
        return shown_path(self.path, self.folder)

    @property
    def probe(self) -> Path:
        """The C file of one line per macro that is compiled behind the source."""
        return self.scratch / "defines.c"

    def macros(self) -> set[str]:
        """Return the names of the object-like macros, without the compiler's own."""
        done = self._run("-dD", "-E", self.source)
        self._check(done)
        return _defined(done.stdout.split("\n"))

    def candidates(self, names: Sequence[str]) -> list[str]:
        """Return those of *names* that expand to what may be a constant.

        One that calls a macro without closing the bracket takes in all names behind it, which are
        then tried without it.
        """
        candidates = []
        while names:
            self._write(f"{_BEGIN}{i} {name} {_END}" for i, name in enumerate(names))
            done = self._run("-E", "-include", self.source, str(self.probe))
            if done.returncode < 0:
                self._check(done)
            expanded = {int(match[1]): match[2] for match in _EXPANSION.finditer(done.stdout)}
            last = next((i for i in range(len(names)) if i not in expanded), len(names))
            candidates += [names[i] for i in range(last) if _may_be_constant(expanded[i])]
            names = names[last + 1 :]
        return candidates

    def evaluate(self, names: Sequence[str]) -> dict[str, int]:
        """Return the values of those of *names* that are integer constants.

        Each has a line of its own; lines that clang refuses are taken out until it takes all.
        """
        while names:
            self._write(_definition(i, name) for i, name in enumerate(names))
            output = self.scratch / "defines.o"
            done = self._run("-include", self.source, "-c", str(self.probe), "-o", str(output))
            if done.returncode == 0:
                return _values(read_elf(output.read_bytes()), names)
            refused = self._refused_lines(done.stderr) if done.returncode > 0 else set()
            if not refused:
                self._check(done)
            names = [name for line, name in enumerate(names, 1) if line not in refused]
        return {}

    def _refused_lines(self, diagnostics: str) -> set[int]:
        """Return the numbers, from 1, of the probe's lines that have an error."""
        error = rf"^{re.escape(str(self.probe))}:(\d+):.*\berror: "
        return {int(line) for line in re.findall(error, diagnostics, re.MULTILINE)}

    def _write(self, lines: Iterable[str]) -> None:
        try:
            self.probe.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        except OSError as error:
            raise no_scratch(error.strerror) from error

    def _run(self, *arguments: str) -> CompletedProcess[str]:
        return run_tool([*self.command, *arguments], self.folder, self.observe)

    def _check(self, done: CompletedProcess[str]) -> None:
        if done.returncode:
            raise refusal(self.path, self.target, done, folder=self.folder)


def _defined(lines: Iterable[str]) -> set[str]:
    """Return the macros that ``clang -dD -E`` defines and leaves defined.

    It writes each definition where it stands, below a line that names the file; those of the
    compiler are in ``<built-in>``, those of ``-D`` in ``<command line>``.
    """
    names: set[str] = set()
    built_in = True
    for line in lines:
        if not line.startswith("#"):
            continue
        if marker := _MARKER.fullmatch(line):
            built_in = marker[1] == "<built-in>"
        elif directive := _DIRECTIVE.match(line):
            action, name, parameters = directive.groups()
            names.discard(name)
            if action == "define" and not parameters and not built_in:
                names.add(name)
    return names


def _may_be_constant(text: str) -> bool:
    """Whether *text* can stand in a line of its own: every bracket closed, no ``;`` outside.

    Strings are many, and no constants: without them clang mostly takes all lines at once.
    """
    text = text.strip()
    open_brackets: list[str] = []
    for match in _BRACKET.finditer(_LITERAL.sub(" ", text)):
        bracket = _DIGRAPHS.get(match[0], match[0])
        if bracket in _CLOSED_BY:
            open_brackets.append(_CLOSED_BY[bracket])
        elif bracket == ";":
            if not open_brackets:
                return False
        elif not open_brackets or open_brackets.pop() != bracket:
            return False
    return bool(text) and not open_brackets and not text.startswith('"')


def _definition(number: int, name: str) -> str:
    """Return the line that holds a constant's sign, and its upper and lower 64 bits.

    ``__builtin_choose_expr`` takes integer constant expressions only, where an initialiser may be
    anything that clang can fold.
    """
    sign = f"__builtin_choose_expr(({name}) < 0, 1, 0)"
    upper = f"(unsigned long long)((unsigned __int128)({name}) >> 64)"
    attributes = f'__attribute__((__section__("{_SECTION}"), __used__))'
    return (
        f"const unsigned long long {_SYMBOL}{number}[3] {attributes} = "
        f"{{{sign}, {upper}, (unsigned long long)({name})}};"
    )


def _values(elf: Elf, names: Sequence[str]) -> dict[str, int]:
    section = elf.section(_SECTION)
    places = {symbol.name: symbol.value for symbol in elf.symbols}
    data = section.data if section else b""

    def words(number: int) -> Iterator[int]:
        start = places[f"{_SYMBOL}{number}"]
        for offset in range(start, start + 24, 8):
            yield int.from_bytes(data[offset : offset + 8], elf.byte_order)

    values = {}
    for number, name in enumerate(names):
        negative, upper, lower = words(number)
        values[name] = (upper << 64 | lower) - (negative << 128)
    return values
