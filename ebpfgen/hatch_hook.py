"""The build hook ``ebpfgen`` of hatchling. The only file that knows hatchling.

hatchling imports it for every project that is built where ebpfgen is installed, so all that
generates is imported when a project asks for it: ``[tool.hatch.build.hooks.ebpfgen]``.
"""

import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.plugin import hookimpl

if TYPE_CHECKING:
    from ebpfgen.commands import Request
    from ebpfgen.directives import Directive
    from ebpfgen.jobs import Job

# What hatchling itself reads of a hook's table.
_HATCHLING_KEYS = (
    *("dependencies", "enable-by-default"),
    *("require-runtime-dependencies", "require-runtime-features"),
)


class EbpfgenBuildHook(BuildHookInterface[BuilderConfig]):
    """Generates a project's bindings before it is packed, and has all their files packed.

    That takes no compiler if they are up to date, as they are in every source distribution.
    """

    PLUGIN_NAME = "ebpfgen"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Generate; what goes wrong ends the build with one line, below what clang said."""
        from ebpfgen.console import tell_error
        from ebpfgen.errors import EbpfgenError

        root = Path(self.root)
        try:
            _check_keys(self.config)
            jobs = _generate(root, self.app.display_info)
        except EbpfgenError as error:
            tell_error(error)
            sys.exit(1)
        build_data["artifacts"] += [
            pattern for job in jobs for pattern in _patterns(job, root.resolve())
        ]


@hookimpl
def hatch_register_build_hook() -> type[EbpfgenBuildHook]:
    """Tell hatchling of the hook."""
    return EbpfgenBuildHook


def _check_keys(table: Iterable[str]) -> None:
    from ebpfgen.errors import ConfigError

    for key in table:
        if key not in _HATCHLING_KEYS:
            raise ConfigError(
                f"unknown key {key!r} in [tool.hatch.build.hooks.ebpfgen]: "
                "what is generated, and how, is for [tool.ebpfgen] to say"
            )


def _generate(root: Path, say: Callable[[str], None]) -> "list[Job]":
    """Generate all bindings of the project, and return what they are."""
    from ebpfgen.commands import project_jobs
    from ebpfgen.console import warn
    from ebpfgen.generate import generate
    from ebpfgen.jobs import Options
    from ebpfgen.report import variant_line
    from ebpfgen.run import Observer, Settings

    jobs = project_jobs(root, Options(), _parse_directive)
    settings = Settings(shipped=(root / "PKG-INFO").is_file())
    observer = Observer(warning=warn, variant=lambda variant: say(variant_line(variant)))
    generate(jobs, settings, observer)
    return jobs


def _parse_directive(directive: "Directive") -> "Request":
    from ebpfgen.cli import parse_directive

    return parse_directive(directive)


def _patterns(job: "Job", root: Path) -> list[str]:
    """Return what a ``.gitignore`` would call the files that *job* writes below *root*."""
    folder = job.output_dir.resolve()
    files = [folder / path.name for path in job.outputs]
    names = [path.relative_to(root).as_posix() for path in files if path.is_relative_to(root)]
    return ["/" + re.sub(r"([\\*?\[\]!# ])", r"\\\1", name) for name in names]
