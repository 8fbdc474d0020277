"""A test that this kernel refuses has the outcome that it has on another kernel."""

import re
import textwrap
from pathlib import Path
from xml.etree import ElementTree

import pytest

from .building import REPOSITORY

# The other kernel is another process here, which knows itself by $PLACE.
PLACES = """
import os
import subprocess
import sys

pytest_plugins = ["tests.kernel_vm"]


class Process:
    def __init__(self, name):
        self.name = name

    def missing(self):
        return "it is not there" if self.name == "absent" else ""

    def run(self, arguments, folder):
        command = [sys.executable, "-m", "pytest", *arguments]
        environment = {**os.environ, "PLACE": self.name}
        return subprocess.run(command, env=environment, capture_output=True, text=True)


def pytest_kernel_places(config):
    return [Process(name) for name in "PLACES".split()]
"""

IMPORTS = """
import errno
import os

import pytest

from ebpfgen import runtime as rt
from tests.kernel_vm import Lacking

PLACE = os.environ.get("PLACE", "")
pytestmark = pytest.mark.kernel


def load(*refusing, log="", number=errno.EPERM):
    if PLACE in refusing:
        raise rt.LoadError(number, "can't load program elements", log)


"""


class Run:
    """Runs pytest on a file of tests, beside places for what is refused."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self._pytester = pytester

    def __call__(
        self, tests: str, *arguments: str, places: str = "VM", apart: bool = False
    ) -> pytest.RunResult:
        self._pytester.makeconftest(PLACES.replace("PLACES", places))
        self._pytester.makepyfile(IMPORTS + textwrap.dedent(tests))
        start = self._pytester.runpytest_subprocess if apart else self._pytester.runpytest_inprocess
        result = start("-rA", *arguments)
        assert "INTERNALERROR" not in str(result.stdout) + str(result.stderr)
        return result


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("PLACE", raising=False)
    return Run(pytester)


def test_what_another_kernel_takes_has_passed(run: Run) -> None:
    done = run("def test_here(): pass\n\n\ndef test_there(): load('')\n")
    done.assert_outcomes(passed=2)
    assert done.ret == 0


def test_the_place_is_asked_for_what_was_refused_alone(run: Run) -> None:
    done = run("def test_here(): assert not PLACE\n\n\ndef test_there(): load('')\n")
    done.assert_outcomes(passed=2)


def test_what_fails_on_the_other_kernel_has_failed_as_it_did_there(run: Run) -> None:
    done = run(
        """
        def test_there():
            load("")
            assert PLACE == "a bug"
        """
    )
    done.assert_outcomes(failed=1)
    assert done.ret == 1
    done.stdout.fnmatch_lines(["*assert 'VM' == 'a bug'*"])


def test_what_every_kernel_refuses_has_failed_as_it_did_here(run: Run) -> None:
    done = run("def test_nowhere(): load('', 'VM', 'newer')\n", places="VM newer")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["*LoadError: can't load program elements", "newer: can't load*"])


def test_a_place_that_is_missing_says_what_it_lacks(run: Run) -> None:
    done = run("def test_nowhere(): load('', 'VM')\n", places="absent VM")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["absent: it is not there", "VM: can't load*"])


def test_a_fixture_that_is_refused_defers_its_tests(run: Run) -> None:
    done = run(
        """
        @pytest.fixture(scope="module")
        def objs():
            load("")
            yield 7

        @pytest.mark.parametrize("number", [6, 7])
        def test_there(objs, number):
            assert objs == number
        """
    )
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(["PASSED *test_there?7?", "FAILED *test_there?6? *"])


def test_the_next_place_runs_what_the_first_one_refuses(run: Run) -> None:
    done = run(
        """
        def test_newer():
            if PLACE != "newer":
                raise Lacking("too old")

        def test_older():
            load("", "newer")
        """,
        places="older newer",
    )
    done.assert_outcomes(passed=2)


@pytest.mark.parametrize("refused", ["the kernel is lost", "no answer at all"])
def test_a_place_that_is_lost_fails_what_it_did_not_run(run: Run, refused: str) -> None:
    how = {"the kernel is lost": "os.kill(os.getpid(), 9)", "no answer at all": "pytest.exit()"}
    done = run(
        f"""
        def test_there():
            load("")

        def test_lost():
            load("")
            print({refused!r}, flush=True)
            {how[refused]}

        def test_after():
            load("")
        """
    )
    done.assert_outcomes(passed=1, failed=2)
    done.stdout.fnmatch_lines(["VM ended with * before this test was done"])


class TestWhatIsNotDeferred:
    def test_an_expected_error(self, run: Run) -> None:
        done = run(
            """
            def test_here():
                with pytest.raises(rt.LoadError):
                    load("")
                assert not PLACE
            """
        )
        done.assert_outcomes(passed=1)

    def test_an_error_of_our_own(self, run: Run) -> None:
        done = run(
            """
            @pytest.mark.parametrize(
                "error",
                [
                    rt.LoadError(errno.EACCES, "refused", "the verifier says"),
                    rt.LoadError(errno.EINVAL, "refused"),
                    rt.MapError(errno.E2BIG, "full"),
                    rt.StateError(errno.EINVAL, "closed"),
                    PermissionError(errno.EPERM, "refused"),
                    AssertionError("rt.LoadError"),
                ],
            )
            def test_here(error):
                if not PLACE:
                    raise error
            """
        )
        done.assert_outcomes(failed=6)

    def test_what_this_process_has_no_capability_for(self, run: Run) -> None:
        """setpriv(1) takes it, as a bug would that drops capabilities."""
        done = run(
            """
            import ctypes

            def test_here():
                header = (ctypes.c_uint32 * 2)(0x20080522, 0)
                assert ctypes.CDLL(None).capset(header, (ctypes.c_uint32 * 6)()) == 0
                load("")
            """,
            apart=True,
        )
        done.assert_outcomes(failed=1)

    def test_a_test_without_the_marker(self, run: Run) -> None:
        done = run("pytestmark = []\n\n\ndef test_here(): load('')\n")
        done.assert_outcomes(failed=1)

    def test_an_expected_failure(self, run: Run) -> None:
        done = run("@pytest.mark.xfail\ndef test_here(): load('')\n")
        done.assert_outcomes(xfailed=1)

    def test_a_teardown_that_fails_as_well(self, run: Run) -> None:
        done = run(
            """
            @pytest.fixture
            def untidy():
                yield
                assert not "tidy"

            def test_here(untidy):
                load("")
            """
        )
        done.assert_outcomes(failed=1, errors=1)

    def test_anything_when_told_so(self, run: Run) -> None:
        done = run("def test_here(): load('')\n", "--no-vm")
        done.assert_outcomes(failed=1)


class TestWhatIsDeferred:
    def test_a_refusal(self, run: Run) -> None:
        done = run(
            """
            @pytest.mark.parametrize(
                "error",
                [
                    rt.LoadError(errno.EPERM, "refused"),
                    rt.LoadError(errno.EACCES, "refused", "processed 0 insns (limit 1000000)\\n"),
                    rt.MapError(errno.EPERM, "refused"),
                    rt.UnsupportedObjectError(errno.EINVAL, "no such type of map"),
                    rt.NotSupportedError(errno.ENOENT, "no kprobes"),
                    rt.AttachError(errno.EINVAL, "this kernel is built without CONFIG_FPROBE"),
                ],
            )
            def test_there(error):
                if not PLACE:
                    raise error
            """
        )
        done.assert_outcomes(passed=6)

    LACKING = "def test_old(): raise Lacking(f'{PLACE or \"this\"} is too old')\n"

    def test_what_every_kernel_lacks_is_skipped_with_all_the_reasons(self, run: Run) -> None:
        done = run(self.LACKING)
        done.assert_outcomes(skipped=1)
        done.stdout.fnmatch_lines(["SKIPPED *this is too old; VM: VM is too old"])

    def test_in_ci_it_fails(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CI", "true")
        done = run(self.LACKING)
        done.assert_outcomes(failed=1)
        done.stdout.fnmatch_lines(["*this is too old; VM: VM is too old*"])

    def test_what_a_test_lacks_without_the_marker_is_deferred_too(self, run: Run) -> None:
        done = run("pytestmark = []\n\n\ndef test_there():\n    if not PLACE: raise Lacking('x')\n")
        done.assert_outcomes(passed=1)


MIXED = """
def test_here(): pass


@pytest.mark.parametrize("number", range(4))
def test_there(number): load("")


def test_fails_there():
    load("")
    assert not PLACE
"""


def test_the_end_says_which_kernels_ran_how_many_and_why(run: Run) -> None:
    done = run(MIXED)
    done.assert_outcomes(passed=5, failed=1)
    release = re.escape(Path("/proc/sys/kernel/osrelease").read_text().strip())
    ran = rf"kernel tests ran on {release} \(VM\): 5; {release} \(this host\): 1"
    done.stdout.re_match_lines(
        [f"^{ran}$", "^5 not on this host's kernel: can't load program elements$"]
    )


def test_what_no_kernel_took_ran_on_none(run: Run) -> None:
    done = run("def test_here(): pass\n\n\ndef test_nowhere(): load('', 'VM')\n")
    done.stdout.re_match_lines([r"^kernel tests ran on [^;]* \(this host\): 1$"])


def test_a_report_for_machines_names_the_kernel_of_each_test(run: Run, tmp_path: Path) -> None:
    run(MIXED, f"--junitxml={tmp_path / 'report.xml'}")
    cases = ElementTree.parse(tmp_path / "report.xml").iter("testcase")
    kernels = {
        case.get("name"): [
            p.get("value") for p in case.iter("property") if p.get("name") == "kernel"
        ]
        for case in cases
    }
    release = Path("/proc/sys/kernel/osrelease").read_text().strip()
    assert kernels["test_here"] == [f"{release} (this host)"]
    assert kernels["test_there[2]"] == [f"{release} (VM)"]


def test_tests_side_by_side_have_one_place(run: Run) -> None:
    """As pytest-xdist's workers, whose deferred tests run in the process that started them."""
    done = run(MIXED, "-p", "xdist.plugin", "-n2", apart=True)
    done.assert_outcomes(passed=5, failed=1)
    assert done.ret == 1
    assert str(done.stdout).count("tests that this kernel refuses: VM") == 1
