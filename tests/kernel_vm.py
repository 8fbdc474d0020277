"""A pytest plugin: a test that this kernel refuses runs on another kernel, and counts from there.

A test with the marker ``kernel`` loads BPF. Where it fails because the kernel, or libbpf, refuses
or lacks a kind of program or map, its reports are held back. So are those of a test that raises
:class:`Lacking`. After all the other tests, those that were deferred run together in each of the
places of ``pytest_kernel_places`` in turn, until one of them has what they need. Their reports from
there are reported here: they pass, are skipped and fail as tests of this run do.

The refusal itself decides, not a list of kinds, and it excuses nothing: a test that fails
everywhere has failed, with the traceback it had here. The end of the run says on which kernels the
tests with the marker ran, and why some were deferred.

In the place, ``--kernel-report FILE`` writes each report as a line of JSON and defers nothing.
"""

import errno
import json
import os
import re
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, Protocol, cast

import pytest
from _pytest.outcomes import Skipped
from _pytest.runner import runtestprotocol

from ebpfgen.runtime import kernel
from ebpfgen.runtime.errors import BpfError, NotSupportedError

MARKER = "kernel"
RAN_ON = "kernel"
"""The property of a report, and of junit's test case, that names the kernel of the test."""
REFUSED = "refused"
"""The property of a report that says what the kernel of the test refuses or lacks."""

DENIED = (errno.EPERM, errno.EACCES)
CAPABILITIES = ("CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN", "CAP_SYS_ADMIN")
NOT_LOOKED_AT = re.compile(r"\s*(processed 0 insns .*)?\s*")
"""The log of a verifier that has not begun with the program."""
OPTION = re.compile(r"\bCONFIG_[A-Z0-9_]+\b")


class Lacking(Skipped):
    """This kernel, or this libbpf, lacks what the test needs.

    Another place runs the test. Without one that has it, the test is skipped for this reason; in
    CI, which has to run everything, it fails.
    """


class Place(Protocol):
    """Another kernel, or another libbpf, that pytest can run tests with."""

    @property
    def name(self) -> str:
        """The name of the place in the summary: ``VM``."""

    def missing(self) -> str:
        """What this machine lacks to have the place, with what to do; empty if nothing."""

    def run(self, arguments: Sequence[str], folder: Path) -> CompletedProcess[str]:
        """Run pytest with these arguments there; the place reads and writes *folder*."""


class Hooks:
    """What a conftest.py implements."""

    @pytest.hookspec(firstresult=True)
    def pytest_kernel_places(self, config: pytest.Config) -> Sequence[Place] | None:
        """The places for tests that this kernel refuses, in the order in which they are tried."""


def refusal(error: BaseException) -> str:
    """The reason for which the kernel refuses what a test needs; empty for any other error.

    A verifier's rejection is none, nor is what this process lacks the capabilities for.
    """
    if isinstance(error, Lacking):
        return str(error.msg)
    if not isinstance(error, BpfError):
        return ""
    if isinstance(error, NotSupportedError) or OPTION.search(str(error)):
        return str(error)
    denied = error.errno in DENIED and NOT_LOOKED_AT.fullmatch(getattr(error, "verifier_log", ""))
    return str(error) if denied and not kernel.missing_capabilities(*CAPABILITIES) else ""


@dataclass
class Deferred:
    """A test that waits for another kernel."""

    reports: list[pytest.TestReport]
    """What it was like here."""
    reasons: list[str] = field(default_factory=list)
    """What each place refused, this one first."""

    @property
    def lacking(self) -> bool:
        """Whether the test said that it can't run, rather than that it failed."""
        return all(not report.failed for report in self.reports)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("kernel", "tests that load BPF")
    group.addoption(
        "--no-vm",
        action="store_true",
        help="run no test on another kernel: those that this one refuses fail, or are skipped",
    )
    group.addoption("--kernel-report", type=Path, metavar="FILE", help="for the other kernel")
    group.addoption("--kernel-place", default="this host", help="for the other kernel")


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.add_hookspecs(Hooks)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{MARKER}: the test loads BPF into the kernel")
    register = config.pluginmanager.register
    register(Labels(config), "kernel-labels")
    if config.option.kernel_report:
        register(Recorder(config), "kernel-recorder")
    else:
        register(Deferral(config), "kernel-deferral")
        register(Summary(), "kernel-summary")


class Labels:
    """Says in each report of a kernel test which kernel it ran on, and whether that refused it."""

    def __init__(self, config: pytest.Config) -> None:
        self._kernel = f"{os.uname().release} ({config.option.kernel_place})"

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if item.get_closest_marker(MARKER):
            item.user_properties.append((RAN_ON, self._kernel))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if call.excinfo and call.when != "teardown" and not hasattr(report, "wasxfail"):
            error = call.excinfo.value
            reason = refusal(error)
            if reason and (isinstance(error, Lacking) or item.get_closest_marker(MARKER)):
                report.user_properties.append((REFUSED, reason))
        return report


class Recorder:
    """Writes the reports for the host, each as soon as it is made: the kernel may not live on."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._file: Path = config.option.kernel_report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        hook = self._config.hook
        data = hook.pytest_report_to_serializable(config=self._config, report=report)
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(data) + "\n")


class Deferral:
    """Holds back what the kernel refuses, and runs it elsewhere once all else has run."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._deferred: dict[str, Deferred] = {}

    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> object | None:
        place = {"nodeid": item.nodeid, "location": item.location}
        item.ihook.pytest_runtest_logstart(**place)
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
        reasons = [reason for report in reports if (reason := _property(report, REFUSED))]
        if reasons and not reports[-1].failed:
            self._deferred[item.nodeid] = Deferred(reports, reasons[:1])
        else:
            for report in reports:
                item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(**place)
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        result = yield
        if self._deferred and not hasattr(session.config, "workerinput"):
            self._run_elsewhere()
        return result

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """In a worker of pytest-xdist, hand over to the process that started it."""
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["deferred"] = {
                nodeid: [json.dumps(self._packed(report)) for report in test.reports]
                for nodeid, test in self._deferred.items()
            }

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        for nodeid, packed in getattr(node, "workeroutput", {}).get("deferred", {}).items():
            reports = [self._unpacked(json.loads(line)) for line in packed]
            reasons = [reason for report in reports if (reason := _property(report, REFUSED))]
            self._deferred[nodeid] = Deferred(reports, reasons[:1])

    def _run_elsewhere(self) -> None:
        for place in self._places():
            if not self._deferred:
                break
            if missing := place.missing():
                for test in self._deferred.values():
                    test.reasons.append(f"{place.name}: {missing}")
            else:
                self._run_in(place)
        for test in self._deferred.values():
            self._log(_nowhere(test))

    def _places(self) -> Sequence[Place]:
        if self._config.option.no_vm:
            return ()
        return self._config.hook.pytest_kernel_places(config=self._config) or ()

    def _run_in(self, place: Place) -> None:
        """Report the tests that can run in a place, and leave the others deferred."""
        self._say(f"{len(self._deferred)} tests that this kernel refuses: {place.name}")
        factory: pytest.TempPathFactory = self._config._tmp_path_factory  # type: ignore[attr-defined]
        folder = factory.mktemp("place")
        (folder / "tests").write_text("\n".join(self._deferred), encoding="utf-8")
        written = folder / "report.jsonl"
        options = [f"--kernel-report={written}", f"--kernel-place={place.name}"]
        process = place.run([*options, f"@{folder / 'tests'}"], folder)
        came = self._read(written)
        for nodeid, test in list(self._deferred.items()):
            reports = came.get(nodeid, [])
            refused = [reason for report in reports if (reason := _property(report, REFUSED))]
            if refused:
                test.reasons.append(f"{place.name}: {refused[0]}")
                continue
            del self._deferred[nodeid]
            if not reports or reports[-1].when != "teardown":
                self._log([_lost(test, place, process)])
            else:
                for report in reports:
                    report.user_properties.append((REFUSED, test.reasons[0]))
                self._log(reports)

    def _read(self, file: Path) -> dict[str, list[pytest.TestReport]]:
        came: dict[str, list[pytest.TestReport]] = {}
        for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
            report = self._unpacked(json.loads(line))
            came.setdefault(report.nodeid, []).append(report)
        return came

    def _packed(self, report: pytest.TestReport) -> dict[str, Any]:
        hook = self._config.hook
        data = hook.pytest_report_to_serializable(config=self._config, report=report)
        return cast(dict[str, Any], data)

    def _unpacked(self, data: Mapping[str, Any]) -> pytest.TestReport:
        hook = self._config.hook
        report = hook.pytest_report_from_serializable(config=self._config, data=data)
        return cast(pytest.TestReport, report)

    def _log(self, reports: Sequence[pytest.TestReport]) -> None:
        hook = self._config.hook
        place = {"nodeid": reports[0].nodeid, "location": reports[0].location}
        hook.pytest_runtest_logstart(**place)
        for report in reports:
            hook.pytest_runtest_logreport(report=report)
        hook.pytest_runtest_logfinish(**place)

    def _say(self, line: str) -> None:
        if reporter := self._config.pluginmanager.get_plugin("terminalreporter"):
            reporter.ensure_newline()
            reporter.write_line(line)


class Summary:
    """Says at the end which kernels the tests ran on, and why not all of them on this one."""

    def __init__(self) -> None:
        self._ran: Counter[str] = Counter()
        self._deferred: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped or (
            report.when != "call" and not (report.failed and report.when == "setup")
        ):
            return
        # A test may say by itself that it had other kernels run.
        self._ran.update({str(value) for key, value in report.user_properties if key == RAN_ON})
        if reason := _property(report, REFUSED):
            self._deferred[reason] += 1

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._ran:
            kernels = "; ".join(f"{name}: {count}" for name, count in sorted(self._ran.items()))
            terminalreporter.write_line(f"kernel tests ran on {kernels}")
        for reason, count in self._deferred.most_common():
            terminalreporter.write_line(f"{count} not on this host's kernel: {reason}")


def _property(report: pytest.TestReport, name: str) -> str:
    """A property of a report; empty if it has none of this name."""
    return next((str(value) for key, value in report.user_properties if key == name), "")


def _nowhere(test: Deferred) -> list[pytest.TestReport]:
    """The reports of a test that no kernel could run."""
    told = "; ".join(dict.fromkeys(test.reasons))
    last = next(report for report in test.reports if _property(report, REFUSED))
    if test.lacking and os.environ.get("CI") == "true":
        last.outcome, last.longrepr = "failed", told
    elif test.lacking:
        path, line, _ = cast(tuple[str, int, str], last.longrepr)
        last.longrepr = (path, line, f"Skipped: {told}")
    else:
        last.sections.extend(("refused elsewhere, too", reason) for reason in test.reasons[1:])
    for report in test.reports:
        report.user_properties = [known for known in report.user_properties if known[0] != RAN_ON]
    return test.reports


def _lost(test: Deferred, place: Place, process: CompletedProcess[str]) -> pytest.TestReport:
    """The report of a test that a place began, or did not get to."""
    said = f"{process.stdout[-4000:]}{process.stderr[-4000:]}"
    told = f"{place.name} ended with {process.returncode} before this test was done\n{said}"
    first = test.reports[0]
    return pytest.TestReport(
        nodeid=first.nodeid,
        location=first.location,
        keywords=first.keywords,
        outcome="failed",
        longrepr=told,
        when="call",
        user_properties=[(REFUSED, test.reasons[0])],
    )
