"""Modules become text. The only file that knows jinja2, and one that decides nothing."""

import os
import pickle
from contextlib import suppress
from functools import cache
from pathlib import Path

import jinja2
from jinja2.bccache import Bucket

from ebpfgen.model import Facade, Module
from ebpfgen.stamp import MARK

_MODULE, _FACADE = "module.py.jinja", "facade.py.jinja"
_WIDTH = 88


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


class _Kept(jinja2.FileSystemBytecodeCache):
    """Compiled templates as files, as Python keeps its modules: what can't be kept is not."""

    def load_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError, EOFError, ValueError, pickle.UnpicklingError):
            super().load_bytecode(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().dump_bytecode(bucket)


def _kept() -> _Kept | None:
    """Return the cache of compiled templates, if there is a folder for it that is this user's."""
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
    return _Kept(str(folder)) if is_own else None


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("ebpfgen"),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # the text is Python: `quoted` in binding.py quotes
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        bytecode_cache=_kept(),
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
