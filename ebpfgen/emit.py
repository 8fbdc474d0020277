"""Modules become text. The only file that knows jinja2, and one that decides nothing."""

import contextlib
import marshal
import os
import sys
from functools import cache
from importlib.util import cache_from_source
from pathlib import Path

import jinja2
from jinja2.bccache import Bucket, bc_magic

from ebpfgen.model import Facade, Module
from ebpfgen.stamp import MARK, digest_of

_WIDTH = 88


def render_module(module: Module) -> str:
    """Return the text of a variant."""
    return _environment().get_template("module.py.jinja").render(module=module, mark=MARK)


def render_facade(facade: Facade) -> str:
    """Return the text of the module that stands for whichever variant fits."""
    return _environment().get_template("facade.py.jinja").render(facade=facade, mark=MARK)


class _Bytecode(jinja2.BytecodeCache):
    """Keeps compiled templates where Python keeps compiled modules, and whenever it does.

    To compile them takes as long as all else that is done for a small source.
    """

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        """Return the path of the compiled template."""
        return cache_from_source(filename or name)

    def get_source_checksum(self, source: str) -> str:
        """Return what a compiled template has to begin with: a digest of what decides on it."""
        return digest_of(b"".join((bc_magic, Path(__file__).read_bytes(), source.encode())))

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take the compiled template, if it is there and whole."""
        with contextlib.suppress(OSError, EOFError, TypeError, ValueError):
            digest, _, code = Path(bucket.key).read_bytes().partition(b"\n")
            if digest == bucket.checksum.encode():
                bucket.code = marshal.loads(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Write the compiled template, unless this user can't."""
        if sys.dont_write_bytecode:
            return
        path = Path(bucket.key)
        temporary = path.with_name(f"{path.name}.{os.getpid()}")
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(bucket.checksum.encode() + b"\n" + marshal.dumps(bucket.code))
            temporary.replace(path)
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("ebpfgen"),
        bytecode_cache=_Bytecode(),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # the text is Python: `quoted` in binding.py quotes
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
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
        inner = "\n".join(f"{space}    {item}," for item in items)
    return f"{space}{head}\n{inner}\n{space}{tail}"


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
