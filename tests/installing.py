"""What tests of installed ebpfgen do: have pip build and install it with no network at hand."""

import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from .building import REPOSITORY

_SOURCES = (
    ".pre-commit-hooks.yaml",
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "ebpfgen",
    "headers",
    "pyproject.toml",
)


def copy_sources(folder: Path) -> None:
    """Copy what ebpfgen is built of to *folder*, which is made."""
    folder.mkdir()
    for name in _SOURCES:
        if (REPOSITORY / name).is_dir():
            skipped = shutil.ignore_patterns("__pycache__")
            shutil.copytree(REPOSITORY / name, folder / name, ignore=skipped)
        else:
            shutil.copy(REPOSITORY / name, folder)


def offline(folder: Path) -> dict[str, str]:
    """Return variables with which pip finds all it needs among what is installed here.

    *folder* is made, and filled with links to the packages of this environment, except ebpfgen:
    pip takes them for installed in whichever environment it works in.
    """
    folder.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        own = path.name.startswith(("ebpfgen", "_ebpfgen", "__editable__", "pip"))
        if not own and path.suffix != ".pth":
            (folder / path.name).symlink_to(path)
    return {
        "PYTHONPATH": str(folder),
        "PIP_NO_INDEX": "1",
        # pip reads the value as that of --build-isolation.
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "VIRTUALENV_NO_PERIODIC_UPDATE": "1",
    }


def make_environment(folder: Path) -> Path:
    """Make a virtual environment that has pip alone, and return its Python."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, capture_output=True)
    return folder / "bin/python"


def run(
    *command: str | Path, cwd: Path, env: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a program in an environment of just these variables; its two outputs are one."""
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
