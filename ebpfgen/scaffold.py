"""Creates projects. The only file that knows copier."""

import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import copier
from copier.errors import CopierAnswersInterrupt, CopierError

from ebpfgen.errors import IdentifierError, ScaffoldError, UsageError
from ebpfgen.naming import check_identifier
from ebpfgen.process import Deferred
from ebpfgen.tools import no_scratch

_TEMPLATES = Path(__file__).with_name("templates") / "project"

# The wheel carries the headers inside the package; in a checkout they are beside it.
_HEADERS = (Path(__file__).with_name("headers"), Path(__file__).parent.with_name("headers"))

_LIBBPF_FOLDERS = (Path("/usr/local/include/bpf"), Path("/usr/include/bpf"))
_LIBBPF_HEADERS = (
    "bpf_core_read.h",
    "bpf_endian.h",
    "bpf_helper_defs.h",
    "bpf_helpers.h",
    "bpf_tracing.h",
    "usdt.bpf.h",
)

_LIBBPF_NOTE = """# libbpf's headers

Copied unchanged from the libbpf {version} installed on the machine where this project was created.
Their licence is {licence}, at your choice, as each file says.

To update them, copy the same files from a newer libbpf's `/usr/include/bpf`.
"""


@dataclass(frozen=True, slots=True)
class Project:
    """A new project: its folder, and the package to run."""

    folder: Path
    package: str


def templates() -> list[str]:
    """Return the names of the templates there are."""
    return sorted(path.name for path in _TEMPLATES.iterdir() if path.is_dir())


def create_project(
    folder: Path, template: str, *, description: str | None = None, ask: bool = False
) -> Project:
    """Create a project in *folder*, which gives it its name.

    Asks on the terminal for what is not given if *ask*, and takes the defaults if not.

    Raises ScaffoldError or UsageError before anything is written.
    """
    if template not in templates():
        raise UsageError(f"no template {template!r}; templates: {', '.join(templates())}")
    folder = folder.absolute()
    name = folder.resolve().name
    package = package_name(name)
    _check_folder(folder)
    libbpf = _find_libbpf()
    data = {"project_name": name, "package": package}
    if description:
        data["description"] = " ".join(description.split()).rstrip(".")
    with _scratch_folder() as scratch:
        made = scratch / name
        try:
            copier.run_copy(
                str(_TEMPLATES / template), made, data=data, defaults=not ask, quiet=True
            )
            _copy_headers(made / "headers", libbpf)
            _move(made, folder)
        except CopierAnswersInterrupt as error:
            raise KeyboardInterrupt from error
        except (CopierError, OSError) as error:
            raise ScaffoldError(f"can't create {folder}: {error}") from error
    return Project(folder, package)


def package_name(name: str) -> str:
    """Return the package of a project called *name*: ``my_proj`` for ``My-Proj``.

    Raises IdentifierError if that is no identifier, or would hide a module that exists.
    """
    package = re.sub(r"[-.\s]+", "_", name).lower()
    check_identifier(package, f"package of project {name!r}:")
    if package in sys.stdlib_module_names or package in ("ebpfgen", "tests"):
        raise IdentifierError(
            f"a project called {name!r} would hide Python's module {package}: choose another name",
            name=name,
        )
    return package


def _check_folder(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if folder.is_dir():
        raise ScaffoldError(f"folder {folder} is not empty: choose another name, or empty it")
    if folder.exists() or folder.is_symlink():
        raise ScaffoldError(f"{folder} exists and is no folder: choose another name")


def _find_libbpf() -> Path:
    for folder in _LIBBPF_FOLDERS:
        if all((folder / header).is_file() for header in _LIBBPF_HEADERS):
            return folder
    raise ScaffoldError(
        "libbpf's headers not found in /usr/include/bpf: install them (apt install libbpf-dev, "
        "dnf install libbpf-devel, pacman -S libbpf, apk add libbpf-dev)"
    )


def _copy_headers(target: Path, libbpf: Path) -> None:
    own = next(folder for folder in _HEADERS if folder.is_dir())
    shutil.copytree(own, target)
    copies = target / "bpf" / "libbpf"
    copies.mkdir()
    for header in _LIBBPF_HEADERS:
        shutil.copyfile(libbpf / header, copies / header)
    licence = _licence(copies / header for header in _LIBBPF_HEADERS)
    note = _LIBBPF_NOTE.format(version=_libbpf_version(libbpf), licence=licence)
    (copies / "README.md").write_text(note)


def _libbpf_version(folder: Path) -> str:
    text = (folder / "libbpf_version.h").read_text()
    return ".".join(re.findall(r"#define LIBBPF_\w+_VERSION (\d+)", text))


def _licence(headers: Iterable[Path]) -> str:
    """Return the SPDX expressions of the files, as they say them themselves."""
    found = set()
    for header in headers:
        match = re.search(r"SPDX-License-Identifier: \(?([^)*\n]+)\)?", header.read_text())
        if match:
            found.add(match[1].strip())
    return ", ".join(sorted(found))


@contextmanager
def _scratch_folder() -> Iterator[Path]:
    """Give a folder until the block ends, for the project and for copier's own temporary files."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="ebpfgen-"))
    except OSError as error:
        raise no_scratch(error.strerror) from error
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield folder
    finally:
        with Deferred():
            tempfile.tempdir = before
            shutil.rmtree(folder, ignore_errors=True)


def _move(made: Path, folder: Path) -> None:
    """Move a project to its folder; nothing of it stays there if that fails or is interrupted."""
    existed = folder.is_dir()
    moved: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for item in made.iterdir():
            target = folder / item.name
            if not target.exists():
                moved.append(target)
            shutil.move(item, folder)
    except BaseException:
        with Deferred():
            for target in moved:
                _remove(target)
            if not existed:
                folder.rmdir()
        raise


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
