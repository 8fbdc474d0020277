"""Modules become text. The only file that knows jinja2, and one that decides nothing."""

from functools import cache

import jinja2

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


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("ebpfgen"),
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
