"""What the system's libbpf may be too old for, in a process that has a newer one."""

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ebpfgen.runtime._libbpf.library import version

from ...backports import HOW, newer_libbpf
from ...building import REPOSITORY
from .conftest import need

CASES = Path(__file__).with_name("newer_libbpf.py")


@pytest.fixture(scope="session")
def report(bpf: None, tmp_path_factory: pytest.TempPathFactory) -> ElementTree.Element:
    """Run the tests of newer_libbpf.py, and give what pytest wrote about them."""
    environment = dict(os.environ)
    if tuple(map(int, version().split("."))) < (1, 4):
        newer = newer_libbpf()
        need("" if newer else f"libbpf {version()} is too old, and there is no newer one: {HOW}")
        environment["EBPFGEN_LIBBPF"] = str(newer)
    file = tmp_path_factory.mktemp("newer") / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={file}"]
    done = subprocess.run(
        [*command, str(CASES)],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert file.exists(), done.stdout + done.stderr
    return ElementTree.parse(file).getroot()


def test_all_of_it_works(report: ElementTree.Element) -> None:
    cases = list(report.iter("testcase"))
    assert len(cases) > 15
    problems = [
        f"{case.get('name')}: {problem.text}"
        for case in cases
        for problem in (*case.iter("failure"), *case.iter("error"))
    ]
    assert not problems, "\n".join(problems)


def test_what_this_kernel_lacks_is_skipped_with_the_reason(report: ElementTree.Element) -> None:
    reasons = {skip.get("message") for skip in report.iter("skipped")}
    if reasons:
        pytest.skip("; ".join(sorted(map(str, reasons))))
