"""Modules become text. The only file that knows jinja2, and one that decides nothing."""

import marshal
import os
import re
from contextlib import suppress
from functools import cache
from hashlib import sha256
from importlib.util import MAGIC_NUMBER
from pathlib import Path

import jinja2
from jinja2.bccache import Bucket, BytecodeCache

import ebpfgen
from ebpfgen.inputs import read_file
from ebpfgen.model import Facade, Module
from ebpfgen.stamp import MARK

_MODULE, _FACADE = "module.py.jinja", "facade.py.jinja"
_WIDTH = 88
_CALL = re.compile(r"(\*?[\w.]+\()(.+)\)")
_DIGEST_BYTES = 32


def load_templates() -> None:
    """Have the templates ready, which takes longer than to render them."""
    for name in (_MODULE, _FACADE):
        _environment().get_template(name)


def render_module(module: Module) -> str:
    """Return the text of a variant."""
    return _environment().get_template(_MODULE).render(module=module, mark=MARK)


def render_facade(facade: Facade) -> str:
    """Return the text of the module that stands for whichever variant fits."""
    return _environment().get_template(_FACADE).render(facade=facade, mark=MARK)


class _TemplateCache(BytecodeCache):
    """Compiled templates on disk, which save a tenth of a run. Cache errors are ignored.

    A file begins with the SHA-256 of what it was compiled with, of what, and to what. One that does
    not match, whether it is damaged, half-written or of another version, is compiled again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            data = read_file(self._file(bucket))
            digest, code = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
            if digest == _code_digest(bucket, code):
                bucket.code = marshal.loads(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        code = marshal.dumps(bucket.code)
        # Never through a link, and without waiting for somebody who reads a pipe.
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK
        with suppress(OSError), os.fdopen(os.open(self._file(bucket), flags, 0o600), "wb") as file:
            file.write(_code_digest(bucket, code) + code)

    def _file(self, bucket: Bucket) -> Path:
        return self._folder / f"{bucket.key}.bin"


def _code_digest(bucket: Bucket, code: bytes) -> bytes:
    facts = (ebpfgen.__version__, jinja2.__version__, MAGIC_NUMBER, bucket.key, bucket.checksum)
    return sha256(repr(facts).encode() + code).digest()


def _template_cache() -> _TemplateCache | None:
    """Return the template cache, if there is a folder for it that is this user's."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "ebpfgen", "templates")
    try:
        folder = folder.expanduser()
        if not folder.is_absolute():
            return None
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # What is kept is run: nobody else may have put it there.
        facts = folder.stat()
    except (OSError, RuntimeError):  # RuntimeError: there is no home
        return None
    is_own = facts.st_uid == os.geteuid() and not facts.st_mode & 0o022
    return _TemplateCache(folder) if is_own else None


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("ebpfgen"),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # the text is Python: `quoted` in binding.py quotes
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        bytecode_cache=_template_cache(),
    )
    environment.globals["bracketed"] = bracketed
    environment.globals["comprehension"] = comprehension
    environment.globals["docstring"] = docstring
    environment.globals["quoted_all"] = lambda texts: [f'"{text}"' for text in texts]
    environment.filters["plain"] = plain
    return environment


def bracketed(head: str, items: list[str] | tuple[str, ...], tail: str, indent: int = 0) -> str:
    """Return ``head item, item tail`` wrapped as Python's formatters do it.

    On one line if that fits; else the items on a line of their own, if this is a call; else each on
    its own with a comma after the last. *head* ends with the opening bracket and *tail* begins with
    the closing one.
    """
    space = " " * indent
    is_tuple = head.endswith(" (")
    comma = "," if is_tuple and len(items) == 1 else ""
    one_line = f"{space}{head}{', '.join(items)}{comma}{tail}"
    if len(one_line) <= _WIDTH or not items:
        return one_line
    inner = f"{space}    {', '.join(items)}"
    if is_tuple or (len(inner) > _WIDTH and len(items) > 1):
        inner = "\n".join(_item(item, indent + 4) for item in items)
    return f"{space}{head}\n{inner}\n{space}{tail}"


def _item(item: str, indent: int) -> str:
    """An item on a line of its own; a call that is too long has its arguments below it."""
    line = f"{' ' * indent}{item},"
    call = _CALL.fullmatch(item)
    if len(line) <= _WIDTH or call is None:
        return line
    return bracketed(call[1], _arguments(call[2]), "),", indent)


def _arguments(text: str) -> list[str]:
    """The arguments of a call, split at the commas that are not in brackets."""
    found, depth, start = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and not depth:
            found.append(text[start:place].strip())
            start = place + 1
    return [*found, text[start:].strip()]


def comprehension(
    head: str, call: str, items: list[str] | tuple[str, ...], loop: str, indent: int
) -> str:
    """Return ``head[call(item, item) loop]`` wrapped as Python's formatters do it."""
    space = " " * indent
    whole = f"{call}({', '.join(items)}) {loop}"
    if len(f"{space}{head}[{whole}]") <= _WIDTH:
        return f"{space}{head}[{whole}]"
    if len(f"{space}    {whole}") > _WIDTH:
        whole = bracketed(f"{call}(", items, ")", indent + 4).lstrip() + f"\n{space}    {loop}"
    return f"{space}{head}[\n{space}    {whole}\n{space}]"


def docstring(doc: str, comment: str, indent: int) -> str:
    """Return a docstring of what the C source says, if anything, and then of *comment*."""
    space = " " * indent
    lines = [plain(line).rstrip() for text in (doc, comment) if text for line in text.splitlines()]
    if len(lines) == 1:
        return f'{space}"""{plain(lines[0])}"""'
    if doc and comment:
        lines.insert(-1, "")
    text = "\n".join(f"{space}{line}".rstrip() for line in lines)
    return f'{space}"""{text.lstrip()}\n{space}"""'


def plain(text: str) -> str:
    """Return *text* fit for a comment or a docstring: nothing in it can end either."""
    kept = "".join(c if c.isprintable() and c != "\\" else "?" for c in text)
    kept = kept.replace('"""', "'''")
    return f"{kept} " if kept.endswith('"') else kept
