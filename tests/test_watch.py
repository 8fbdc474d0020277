"""``--watch`` generates at every change, and lives through everything but Ctrl-C."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .building import TINY, generate_here, make_project, run_cli

PATIENCE = 60
"""How many seconds a line may take to come, on a machine that is busy with other things."""


class Watcher:
    """``ebpfgen generate --watch`` in a process, and what it says."""

    def __init__(self, folder: Path, *options: str) -> None:
        ours = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "ebpfgen", "generate", "--watch", *options],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        finally:
            signal.signal(signal.SIGINT, ours)
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._lines.put(line.rstrip("\n"))

    def says(self, *texts: str) -> list[str]:
        """Wait until it waits for a change again; what it says until then must have all texts."""
        lines: list[str] = []
        while not lines or "watching" not in lines[-1]:
            lines.append(self._lines.get(timeout=PATIENCE))
        said = "\n".join(lines)
        assert [text for text in texts if text not in said] == [], said
        return lines

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """Press Ctrl-C; return the status."""
        self._process.send_signal(number)
        return self._process.wait(PATIENCE)

    def kill(self) -> None:
        """End it, if it has not ended."""
        self._process.kill()
        self._process.wait()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(
        tmp_path / "project",
        'bpf\nsource = "src/bpf.c"',
        defaults='targets = "bpfel"\ncflags = "-Iinclude -I../sdk"',
        files={
            "src/bpf.c": '#include "own.h"\n#include "other.inc"\n' + TINY,
            "include/own.h": "",
            "../sdk/other.inc": "",
        },
    )


@pytest.fixture
def watcher(project: Path) -> Iterator[Watcher]:
    started = Watcher(project)
    yield started
    started.kill()


def test_every_change_is_generated_until_ctrl_c(project: Path, watcher: Watcher) -> None:
    module = project / "src/bpf_bpfel.py"
    watcher.says("src/bpf.c → src/bpf_bpfel.py and .o (", " s)", "watching 3 files, Ctrl-C ends")

    (project / "src/bpf.c").write_text('#include "own.h"\n#include "other.inc"\nint second;\n')
    watcher.says("bpf.c changed", "src/bpf.c → src/bpf_bpfel.py and .o")
    assert "Second" in module.read_text()

    (project / "include/own.h").write_text("int third;\n")
    watcher.says("own.h changed", "src/bpf.c → ")
    assert "Third" in module.read_text()

    time.sleep(1)  # so that this is no change from before it watched
    (project / "../sdk/other.inc").write_text("int fourth;\n")
    watcher.says("other.inc changed", "src/bpf.c → ")
    assert "Fourth" in module.read_text()

    assert watcher.end() == 130


def test_errors_are_told_and_what_follows_them_is_waited_for(
    project: Path, watcher: Watcher
) -> None:
    watcher.says("src/bpf.c → ")
    source, config = project / "src/bpf.c", project / "pyproject.toml"

    source.write_text('#include "late/new.h"\n')
    watcher.says("'late/new.h' file not found", "ebpfgen: src/bpf.c does not compile", "watching")
    (project / "include/late").mkdir()
    (project / "include/late/new.h").write_text("int broken = x;\n")
    source.write_text('#include "late/new.h"\n\n')
    watcher.says("use of undeclared identifier 'x'")
    (project / "include/late/new.h").write_text("int mended;\n")
    watcher.says("new.h changed", "src/bpf.c → ")
    assert "Mended" in (project / "src/bpf_bpfel.py").read_text()

    right = config.read_text()
    config.write_text(right + "wrong = 1\n")
    watcher.says("pyproject.toml changed", "ebpfgen: unknown key 'wrong'")
    (project / "two.c").write_text(TINY)
    config.write_text(f'{right}[[tool.ebpfgen.bindings]]\nident = "two"\nsource = "two.c"\n')
    lines = watcher.says("pyproject.toml", "two.c → two_bpfel.py and .o")
    assert not any("bpf.c → " in line for line in lines), "what is up to date is not told"

    assert watcher.end(signal.SIGTERM) == 143


def test_a_source_called_as_its_facade_is_watched_and_generated_files_are_not(
    tmp_path: Path,
) -> None:
    (tmp_path / "bpf.c").write_text('#include "bpf.h"\n' + TINY)
    (tmp_path / "bpf.h").write_text("")
    started = Watcher(tmp_path, "-t", "bpfel", "bpf", "bpf.c")
    try:
        started.says("bpf.c → ")
        (tmp_path / "bpf.h").write_text("int second;\n")
        assert started.says("bpf.c → ")[0] == "bpf.h changed", "and not what it has written"
        (tmp_path / "bpf_bpfel.py").unlink()
        (tmp_path / "bpf.c").write_text(TINY)
        started.says("changed", "bpf.c → ")
    finally:
        started.kill()


def test_what_is_saved_while_clang_runs_is_generated_then(project: Path) -> None:
    clang = project / "../slow-clang"
    clang.write_text(
        f'#!/bin/sh\nclang "$@" || exit\n[ -e {project}/once ] && exit\n'
        f"touch {project}/once; echo 'int late;' >> {project}/include/own.h\n"
    )
    clang.chmod(0o755)
    started = Watcher(project, "--cc", str(clang))
    try:
        started.says("src/bpf.c → ")
        started.says("own.h changed", "src/bpf.c → ")
        assert "Late" in (project / "src/bpf_bpfel.py").read_text()
    finally:
        started.kill()


def test_without_watchfiles_one_line_says_what_to_install(project: Path, tmp_path: Path) -> None:
    (tmp_path / "watchfiles.py").write_text("raise ModuleNotFoundError('no watchfiles')\n")
    path = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))
    done = run_cli("generate", "--watch", cwd=project, env={"PYTHONPATH": path})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "ebpfgen: --watch needs watchfiles: pip install 'ebpfgen[watch]'\n"
    assert not (project / "src/bpf.py").exists()


def test_json_and_watch_do_not_go_together(project: Path) -> None:
    done = generate_here(project, "--watch", "--json")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
