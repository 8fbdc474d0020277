"""Asks git which files of bindings a commit would lack."""

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

from ebpfgen.errors import ToolError
from ebpfgen.freshness import stamped_inputs
from ebpfgen.jobs import Job


def untracked_files(jobs: Iterable[Job], folder: Path) -> list[Path]:
    """Return the files that bindings are made of, or consist of, and that git does not know.

    They are in the repository that *folder* is in. What git was told to ignore is left out:
    somebody means it to stay out. The index is that of ``$GIT_INDEX_FILE``, where git runs a hook.

    Raises ToolError if there is no git, or no repository.
    """
    unknown = _untracked(folder)
    files = {path: None for job in jobs for path in (*stamped_inputs(job), *job.outputs)}
    return [path for path in files if os.path.realpath(path) in unknown]


def _untracked(folder: Path) -> set[str]:
    command = ["git", "ls-files", "-z", "--others", "--exclude-standard", ":/"]
    try:
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
    except OSError as error:
        raise ToolError(f"git can't be run: {error.strerror}", tool="git") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
        raise ToolError(f"git can't list the files of {folder}: {said}", tool="git")
    base = os.path.realpath(folder)
    names = os.fsdecode(done.stdout).split("\0")
    # Names are relative to the folder, also of what lies above it.
    return {os.path.normpath(f"{base}/{name}") for name in names if name}
