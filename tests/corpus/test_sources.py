"""What can't be fetched is left out, and the tests that need it say why."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.building import REPOSITORY

APT_WITHOUT_NETWORK = "#!/bin/sh\nexit 100\n"
APT_WITH_A_BROKEN_PACKAGE = "#!/bin/sh\necho broken >package.deb\n"


def run(tmp_path: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run Python with an empty cache, on a system that has the programs of ``tmp_path/bin``."""
    environment = {**os.environ, "PATH": f"{tmp_path}/bin", "XDG_CACHE_HOME": f"{tmp_path}/cache"}
    return subprocess.run(
        [sys.executable, *command],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("apt", "why"),
    [
        ("", "the corpus is made of Debian's packages, and this system has no apt"),
        (APT_WITHOUT_NETWORK, "apt-get download libbpf-tools failed: no such package, or no"),
        (APT_WITH_A_BROKEN_PACKAGE, "dpkg-deb can't unpack package.deb: try again"),
    ],
    ids=["no apt", "no network", "broken package"],
)
def test_tests_are_skipped_for_what_kept_the_corpus_from_being_fetched(
    tmp_path: Path, apt: str, why: str
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    if apt:
        for name, text in (("apt-get", apt), ("dpkg-deb", "#!/bin/sh\nexit 2\n")):
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)

    fetched = run(tmp_path, "scripts/corpus", "--fetch-only")
    assert fetched.returncode == 0
    assert why in fetched.stderr
    assert "Traceback" not in fetched.stderr
    assert not list(tmp_path.glob("cache/ebpfgen/corpus/.fetch-*"))

    skipped = run(tmp_path, "-m", "pytest", "-p", "no:cacheprovider", "tests/corpus/test_sample.py")
    assert "2 skipped" in skipped.stdout
    assert f"linux-source-6.1 is not in the cache ({why}" in skipped.stdout


def test_only_fetching_may_fail(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    done = run(tmp_path, "scripts/corpus")
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "corpus: the corpus is made of Debian's packages, and this system has no apt"
    )
