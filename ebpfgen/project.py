"""Where a project begins and ends, and which files are its own: none installed, built or hidden."""

import os
from collections.abc import Iterator
from pathlib import Path

from ebpfgen.inputs import exists, is_file

_SKIPPED = frozenset({"__pycache__", "build", "dist", "node_modules", "site-packages", "venv"})
_CONFIG, _VENV = "pyproject.toml", "pyvenv.cfg"


def find_config(folder: Path) -> Path | None:
    """Return the nearest ``pyproject.toml``, in *folder* or above it."""
    candidates = (place / _CONFIG for place in (folder, *folder.parents))
    return next((file for file in candidates if is_file(file)), None)


def project_folder(folder: Path) -> Path:
    """Return where the project around *folder* has its ``pyproject.toml``; else *folder* itself."""
    config = find_config(folder)
    return config.parent if config else folder


def project_root(folder: Path) -> Path:
    """Return the folder that the project around *folder* is checked out or unpacked in.

    That is the git repository; without one, *folder* itself.
    """
    places = (folder, *folder.parents)
    return next((place for place in places if exists(place / ".git")), folder)


def project_files(root: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    """Yield the files below *root* that end so.

    Hidden folders, virtual environments, build folders, what is installed, and projects within the
    project (folders with a ``pyproject.toml`` of their own) are left out.
    """
    for folder, folders, files in os.walk(root):
        if folder != str(root) and (_CONFIG in files or _VENV in files):
            folders.clear()
            continue
        folders[:] = [name for name in folders if name not in _SKIPPED and name[0] != "."]
        yield from (Path(folder, name) for name in files if name.endswith(suffixes))
