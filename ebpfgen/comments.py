"""Doc comments of C: what stands directly above a type, member, map, program or variable.

A ``/** … */`` comment, or a block of ``//`` lines, documents the declaration that begins on the
next line. clang keeps no comments in an object, so the text of the source and of its headers is
read: well enough for this one purpose, as written (macros are not expanded), in linear time, and
without an error whatever it says.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from ebpfgen.tokens import Token, partners, read_tokens


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TAGGED = _words("struct union enum")
_QUALIFIERS = _words(
    "auto const extern inline register restrict static typedef volatile _Noreturn _Thread_local "
    "__always_inline __const __extension__ __inline __inline__ __noinline __restrict __volatile__"
)
_TYPEOF = _words("typeof typeof_unqual __typeof __typeof__ _Atomic")
_KEYWORDS = (
    _TAGGED
    | _TYPEOF
    | _words(
        "break case char continue default do double else float for goto if int long return short "
        "signed sizeof switch unsigned void while _Bool _Complex __int128"
    )
)
_BARE_ATTRIBUTES = _words(
    "__arena __hidden __internal __iomem __kconfig __kptr __kptr_ref __kptr_untrusted __ksym "
    "__maybe_unused __packed __percpu __percpu_kptr __rcu __read_mostly __unused __uptr __used "
    "__user __weak"
)
_ATTRIBUTES = _words("_Alignas alignas asm SEC")  # and all that begin with __
_MEMBER_MACROS = _words("__uint __ulong __type __array DECLARE_BITMAP")
_HEAD = re.compile(
    r"(?<![\w$])(struct|union|enum)((?: (?:__\w+|alignas|_Alignas) \(| [\w$]+)*)"
    r"(?: :[ \w$]*)?(?<!\() \{\Z"
)
_WORD = re.compile(r"[\w$]+")
_WRAPPER = re.compile(r"_*[A-Z][A-Z0-9_]*")


class TextComments(NamedTuple):
    """The doc comments of one text, by what they are of."""

    types: dict[str, str]
    members: dict[tuple[str, str], str]
    enumerators: dict[tuple[str, str], str]
    names: dict[str, str]


class Comments:
    """The doc comments of some C, each without its markers and indentation.

    A type is called what C calls it: ``struct event``, or ``event_t`` if only a typedef names it.
    A global variable stands for the nameless type it is defined with. Of two comments on one thing
    that of the first text is taken.

    A text is read when somebody asks for a name that is in it: most headers are for other names.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._texts = [text for text in texts if "//" in text or "/**" in text]

    def of_type(self, name: str) -> str:
        """Return what is said of a struct, union, enum or typedef; ``""`` for nothing."""
        return _first(text.types.get(name) for text in self._with(name))

    def of_member(self, holder: str, name: str) -> str:
        """Return what is said of a member of the type *holder*; ``""`` for nothing.

        A member of an anonymous struct or union is its holder's, as in C. What a member of a
        nameless type contains has a path: ``header.length``.
        """
        return _first(text.members.get((holder, name)) for text in self._with(holder, name))

    def of_enumerator(self, holder: str, name: str) -> str:
        """Return what is said of an enumerator; *holder* is ``enum`` if nothing names it."""
        return _first(text.enumerators.get((holder, name)) for text in self._with(holder, name))

    def of_name(self, name: str) -> str:
        """Return what is said of a map, program, function or global variable, or ``""``."""
        return _first(text.names.get(name) for text in self._with(name))

    def _with(self, *names: str) -> Iterator[TextComments]:
        """Yield the comments of each text that has every word of *names*."""
        words = {word for name in names for word in _WORD.findall(name)} - _TAGGED
        # That a text has the letters is soon found out, and mostly it has not.
        texts = (text for text in self._texts if all(word in text for word in words))
        return (read_comments(text) for text in texts if words <= _words_in(text))


def _first(docs: Iterable[str | None]) -> str:
    return next(filter(None, docs), "")


# Most sources of a project share their headers, and all targets do.
@lru_cache(maxsize=256)
def _words_in(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text))


@lru_cache(maxsize=256)
def read_comments(text: str) -> TextComments:
    """Read the doc comments of a C source or header. Never raises; what is not C has none."""
    comments = TextComments({}, {}, {}, {})
    _Reader(read_tokens(text), comments).read()
    return comments


class _Scope(NamedTuple):
    """Declarations between two tokens: those of a file, or of a record with members.

    ``path`` goes before the names of its members; ``holder`` is empty where nothing names it.
    """

    start: int
    end: int
    is_record: bool = False
    holder: str = ""
    path: str = ""


class _Reader:
    """Reads the declarations of one text; what is inside of functions is skipped.

    The items of a declaration are the numbers of its tokens, of brackets the opening one only.
    """

    def __init__(self, tokens: list[Token], comments: TextComments) -> None:
        self._tokens = tokens
        self._partners = partners(tokens)
        self._scopes = [_Scope(0, len(tokens))]
        self._comments = comments

    def read(self) -> None:
        """Read every scope; those found on the way are read in their turn."""
        for scope in self._scopes:
            start = scope.start
            while start < scope.end:
                items, start = self._declaration(start, scope.end)
                self._declare(items, scope)

    def _declaration(self, start: int, end: int) -> tuple[list[int], int]:
        """Return the items of the declaration at *start*, and where the next one begins."""
        items: list[int] = []
        is_value = False
        while start < end:
            text = self._tokens[start].text
            if text in (";", "}"):
                return items, start + 1
            items.append(start)
            start = self._partners[start] + 1
            if text == "{" and not is_value and not self._tag(items):
                break
            if text in ("=", ","):
                is_value = text == "="
        return items, start

    def _tag(self, items: list[int]) -> tuple[str, str] | None:
        """Return which type the ``{`` at the end of *items* defines: ``("struct", "event")``."""
        head = _HEAD.search(" ".join(self._tokens[item].text for item in items[-12:]))
        if head is None:
            return None
        words = re.sub(r"\w+ \(", "", head[2]).split()
        return head[1], next((word for word in words[::-1] if word not in _BARE_ATTRIBUTES), "")

    def _declare(self, items: list[int], scope: _Scope) -> None:
        texts = [self._tokens[item].text for item in items]
        brace = texts.index("{") if "{" in texts else None
        if brace is not None and (found := self._tag(items[: brace + 1])):
            self._define(*found, items[: brace + 1], items[brace + 1 :], scope)
        elif brace is not None and "=" not in texts[:brace]:
            if texts[0] == "extern" and texts[1].startswith('"'):
                self._scopes.append(_Scope(items[brace] + 1, self._partners[items[brace]]))
            elif not scope.is_record:
                self._define_function(items, texts)
        else:
            is_typedef = "typedef" in texts
            for name, doc in self._declarators(items, "", is_typedef=is_typedef):
                self._note(scope, name, doc, is_typedef=is_typedef)

    def _define(self, kind: str, tag: str, head: list[int], rest: list[int], scope: _Scope) -> None:
        """Read the definition of a struct, union or enum, up to its ``{``, and what follows."""
        doc = self._doc(head)
        is_typedef = any(self._tokens[item].text == "typedef" for item in head)
        declared = list(self._declarators(rest, doc, is_typedef=is_typedef, is_typed=True))
        for name, said in declared:
            self._note(scope, name, said, is_typedef=is_typedef)
        own = declared[0][0] if declared else ""
        start, end = head[-1] + 1, self._partners[head[-1]]
        holder, path = f"{kind} {tag}", ""
        if tag:
            if doc:
                self._comments.types.setdefault(holder, doc)
        elif kind == "enum":
            holder = own if is_typedef else "enum"
        elif scope.is_record:
            holder, path = scope.holder, f"{scope.path}{own}." if own else scope.path
        else:
            holder = own
        if kind == "enum":
            self._enumerate(start, end, holder)
        else:
            self._scopes.append(_Scope(start, end, True, holder, path))

    def _enumerate(self, start: int, end: int, holder: str) -> None:
        is_first = True
        while start < end:
            text, doc = self._tokens[start]
            if is_first and doc and _is_word(text):
                self._comments.enumerators.setdefault((holder, text), doc)
            is_first = text == ","
            start = self._partners[start] + 1

    def _define_function(self, items: list[int], texts: list[str]) -> None:
        """Read the head of a function; BPF_PROG(name, …) and the like name it in brackets."""
        calls = [
            i
            for i, (text, following) in enumerate(pairwise(texts))
            if following == "(" and _is_word(text) and text not in _KEYWORDS | {"__attribute__"}
            if not self._inside(items[i + 1]).startswith('"')
        ]
        if not calls:
            return
        name, bracket = texts[calls[-1]], items[calls[-1] + 1]
        argument = self._inside(bracket)
        is_name = _is_word(argument) and self._tokens[bracket + 2].text in (",", ")")
        if is_name and argument not in _KEYWORDS and _WRAPPER.fullmatch(name):
            name = argument
        self._note(self._scopes[0], name, self._doc(items[: calls[-1] + 1]), is_typedef=False)

    def _declarators(
        self, items: list[int], doc: str, *, is_typedef: bool, is_typed: bool = False
    ) -> Iterator[tuple[str, str]]:
        """Yield the names that are declared, and what is said of each: *doc*, or more closely.

        *is_typed* says that the type they share was before *items*.
        """
        parts: list[list[int]] = [[]]
        is_value = False
        for item in items:
            text = self._tokens[item].text
            if text == ",":
                parts.append([])
            is_value = text in ("=", ":") or (is_value and text != ",")
            if not is_value and text != ",":
                parts[-1].append(item)
        for part in parts:
            own = self._doc(part) or doc
            doc = doc or own
            if name := self._declared(part, is_typedef=is_typedef, is_typed=is_typed):
                yield name, own
            is_typed = True

    def _declared(self, items: list[int], *, is_typedef: bool, is_typed: bool) -> str:
        """Return the name of one declarator: the last word, but for attributes."""
        words: list[str] = []
        for item in items:
            text = self._tokens[item].text
            if text == "(":
                first, last = self._inside(item), words[-1] if words else ""
                if last in _MEMBER_MACROS:
                    return first
                if first in ("*", "^"):
                    return self._pointer(item)
                if _is_attribute(last) or first.startswith('"'):
                    words = words[:-1]
                elif last not in _TYPEOF:
                    words = words if is_typedef else []
                    break
            elif text == "[" and words:
                break
            elif _is_word(text) and text not in _BARE_ATTRIBUTES | _QUALIFIERS:
                words.append(text)
        if not words or words[-1] in _KEYWORDS or (not is_typed and len(words) < 2):
            return ""
        return "" if len(words) > 1 and words[-2] in _TAGGED else words[-1]

    def _pointer(self, bracket: int) -> str:
        """Return the name in ``(*name)(int)``, ``(*name[2])(int)`` or ``(*(*name)(int))``."""
        inside = (self._tokens[i].text for i in range(bracket + 1, self._partners[bracket]))
        no_name = _BARE_ATTRIBUTES | _QUALIFIERS | {"__attribute__"}
        return next((text for text in inside if _is_word(text) and text not in no_name), "")

    def _inside(self, bracket: int) -> str:
        """Return the first token in brackets, ``""`` if they hold none."""
        is_empty = self._partners[bracket] - bracket < 2
        return "" if is_empty else self._tokens[bracket + 1].text

    def _doc(self, items: Iterable[int]) -> str:
        """Return the comment closest to the end of *items*."""
        docs = [self._tokens[item].doc for item in items]
        return next((doc for doc in reversed(docs) if doc), "")

    def _note(self, scope: _Scope, name: str, doc: str, *, is_typedef: bool) -> None:
        if not doc:
            return
        if not scope.is_record:
            names = self._comments.types if is_typedef else self._comments.names
            names.setdefault(name, doc)
        elif scope.holder:
            self._comments.members.setdefault((scope.holder, scope.path + name), doc)


def _is_word(text: str) -> bool:
    """Whether a token is an identifier or keyword."""
    return text[:1].isalpha() or text[:1] in ("_", "$")


def _is_attribute(text: str) -> bool:
    """Whether a word, followed by a bracket within a declaration, says how and not what."""
    return text in _ATTRIBUTES or (text.startswith("__") and text not in _TYPEOF)
