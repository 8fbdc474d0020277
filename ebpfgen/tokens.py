"""The tokens of C, each with the doc comment that stands directly above it.

Text in, tokens out: macros are not expanded, and conditions not known. Any text can be read, in
linear time.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

_TOKEN = re.compile(
    r"""
      (?P<directive> ^[^\S\n]*\#
                     (?: [^\\\n/"']+ | \\. | /\*.*?(?:\*/|\Z) | //(?:[^\\\n]+|\\.)*
                       | "(?:[^"\\\n]+|\\.)*"? | '(?:[^'\\\n]+|\\.)*'? | / )* )
    | (?P<comment>   /\*.*?(?:\*/|\Z) | //(?:[^\\\n]+|\\.)* )
    | (?P<space>     \n | [^\S\n]+ | \\\n )
    | (?P<code>      "(?:[^"\\\n]+|\\.)*"? | '(?:[^'\\\n]+|\\.)*'? | [\w$]+ | . )
    """,
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)
_CONDITION = re.compile(r"\s*#\s*(if|elif|else|endif)(?:n?def)?\b\s*(.*)", re.DOTALL)

_SEPARATOR = re.compile(r"[\W_]{3,}")
_TO_TOOLS = re.compile(r"\W*(?:SPDX-|NOLINT|clang-format o(?:n|ff)\b)")
_LICENCE = re.compile(
    r"^[^\w\n]*(?:copyright\b|\(c\) ?\d{4})|all rights reserved|licen[cs]ed under|free software"
    r"|general public licen[cs]e|permission is hereby granted|redistribution and use",
    re.IGNORECASE | re.MULTILINE,
)


class Token(NamedTuple):
    """An identifier, number, literal, mark or directive, and the comment directly above it."""

    text: str
    doc: str


def read_tokens(text: str) -> list[Token]:
    """Return the tokens of *text*, without those that ``#if 0`` takes out. Never raises."""
    return _active(_tokens(text.replace("\r\n", "\n").replace("\r", "\n")))


@dataclass(slots=True)
class _Block:
    """A comment, or ``//`` comments on lines that follow one another; lines count from 1."""

    parts: list[str]
    last_line: int
    column: int
    trails: bool

    @property
    def is_lines(self) -> bool:
        return self.parts[0].startswith("//")

    def continues(self, part: str, line: int, column: int, *, trails: bool) -> bool:
        """Whether a comment belongs to this one, which may stand behind code and go on below."""
        adjoins = self.is_lines and part.startswith("//") and line == self.last_line + 1
        return adjoins and not trails and (not self.trails or column == self.column)

    def above(self, line: int) -> str:
        """Return what this says of code that begins on *line*."""
        beside = not self.is_lines and self.last_line == line
        if self.trails or not (beside or self.last_line == line - 1):
            return ""
        return _cleaned(self.parts)


def _tokens(text: str) -> Iterator[Token]:
    block: _Block | None = None
    line, line_start, code_line = 1, 0, 0
    for match in _TOKEN.finditer(text):
        part = match[0]
        begins = line
        if newlines := part.count("\n"):
            line += newlines
        if match.lastgroup == "code":
            yield Token(part, block.above(begins) if block and code_line < begins else "")
            code_line = line
        elif match.lastgroup == "directive":
            yield Token(part, "")
            code_line = line
        elif match.lastgroup == "comment":
            trails = code_line == begins
            # Only one // fits in a line, so measuring up to it reads no text twice.
            is_line = part.startswith("//")
            column = len(text[line_start : match.start()].expandtabs()) if is_line else 0
            if block and block.continues(part, begins, column, trails=trails):
                block.parts.append(part)
                block.last_line = line
            else:
                block = _Block([part], line, column, trails)
        if newlines:
            line_start = match.start() + part.rfind("\n") + 1


def _cleaned(parts: list[str]) -> str:
    """Return the text of a comment, ``""`` if it is no doc comment."""
    if parts[0].startswith("//"):
        if parts[0].startswith("///<"):
            return ""
        marked = [line for part in parts for line in part.expandtabs().split("\n")]
        lines = _dedented([re.sub(r"^//+!?", "", line) for line in marked])
    else:
        if not re.match(r"/\*\*(?![*/<])", parts[0]):
            return ""
        inside = parts[0].removesuffix("*/").rstrip("*").expandtabs()[3:]
        first, *lines = inside.split("\n")
        if all(line.lstrip().startswith("*") for line in lines if line.strip()):
            lines = [line.lstrip().removeprefix("*") for line in lines]
        lines = _dedented([first.strip()]) + _dedented(lines)
    said = [line for line in lines if not _TO_TOOLS.match(line)]
    kept = [i for i, line in enumerate(said) if line and not _SEPARATOR.fullmatch(line)]
    text = "\n".join(said[kept[0] : kept[-1] + 1]) if kept else ""
    return "" if _LICENCE.search(text) else text


def _dedented(lines: list[str]) -> list[str]:
    """Remove the indentation that *lines* have in common, and what can't be printed."""
    shown = ["".join(c if c.isprintable() else " " for c in line).rstrip() for line in lines]
    indents = (len(line) - len(line.lstrip()) for line in shown if line)
    common = min(indents, default=0)
    return [line[common:] for line in shown]


@dataclass(slots=True)
class _Condition:
    """An open ``#if``: the token its present branch starts at, and what is known of the first."""

    start: int
    never: bool
    has_first: bool = False
    first_is_balanced: bool = False


def _active(tokens: Iterable[Token]) -> list[Token]:
    """Return *tokens* without directives, and without what ``#if 0`` takes out.

    Other conditions are not known, so all of their branches are read. But where a branch opens or
    closes a bracket for what follows, as two heads of one function do, the first stands for all.
    """
    kept: list[Token] = []
    levels = [0]
    conditions: list[_Condition] = []
    for token in tokens:
        if not token.text.lstrip().startswith("#"):
            kept.append(token)
            change = 1 if token.text in ("{", "(") else -1 if token.text in ("}", ")") else 0
            levels.append(levels[-1] + change)
        elif found := _CONDITION.match(token.text):
            if found[1] == "if":
                conditions.append(_Condition(len(kept), found[2].strip() == "0"))
                continue
            if conditions:
                _end_branch(conditions[-1], kept, levels)
            if conditions and found[1] == "endif":
                conditions.pop()
    return kept


def _end_branch(condition: _Condition, kept: list[Token], levels: list[int]) -> None:
    """Keep or drop the branch that ends here; ``levels`` counts open brackets before each token."""
    balanced = levels[-1] == levels[condition.start]
    if condition.never or (condition.has_first and not (balanced and condition.first_is_balanced)):
        del kept[condition.start :], levels[condition.start + 1 :]
    elif not condition.has_first:
        condition.has_first, condition.first_is_balanced = True, balanced
    condition.never = False
    condition.start = len(kept)


def partners(tokens: list[Token]) -> list[int]:
    """Return for each token the bracket that closes it, or itself if there is none."""
    partners = list(range(len(tokens)))
    open_brackets: list[int] = []
    open_braces = 0
    for i, (text, _) in enumerate(tokens):
        if text in ("{", "(", "["):
            open_brackets.append(i)
            open_braces += text == "{"
        elif text == "}" and open_braces:
            while tokens[open_brackets[-1]].text != "{":
                open_brackets.pop()
            open_braces -= 1
            partners[open_brackets.pop()] = i
        elif open_brackets and tokens[open_brackets[-1]].text + text in ("()", "[]"):
            partners[open_brackets.pop()] = i
    return partners
