"""A signal that ends a command decides its status, whenever it comes and whatever becomes of it."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from .building import TINY, interrupt_cli, make_project, run_cli, script
from .ends import COMMANDS, SIGNALS, End, fault_of, make_folder, random_ends

# Their names are the same in every process that runs tests; what happens is not.
TURNS = range(30)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("ends"))


@pytest.mark.parametrize("turn", TURNS)
def test_a_signal_at_any_moment_is_the_status(folder: Path, turn: int) -> None:
    end = random_ends(len(TURNS), random.randrange(1 << 30))[turn]
    assert not fault_of(end, folder), (turn, end)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_while_it_watches_is_the_status(folder: Path, number: signal.Signals) -> None:
    assert fault_of(End("watch", number, 0.3, waiting=True), folder) == ""


KILL = "import os, signal; os.kill(os.getpid(), {})"

# What becomes of the exception that a signal raises, in a module that a command imports.
FATES = {
    "nothing": "{kill}",
    "it passes exec()": "exec({kill!r})",
    "it passes a class of the standard library": (
        "import enum\nclass Name(str):\n    def __set_name__(self, owner, name):\n        {kill}\n"
        "class Wrapped: x = Name()"
    ),
    "it becomes another": "try:\n    {kill}\nexcept BaseException: raise ValueError",
    "it is caught": "try:\n    {kill}\nexcept BaseException: pass",
    "it is lost in a destructor": (
        "class Lost:\n    def __del__(self):\n        {kill}\n        list(range(9))\nLost()"
    ),
    "it is lost in a callback": (
        "import weakref\ndef lose(_):\n    {kill}\n    list(range(9))\nclass Gone: pass\n"
        "gone = Gone(); held = weakref.ref(gone, lose); del gone"
    ),
}

WATCH = """
import time
def watch(*_, stop_event, **__):
    while not stop_event.is_set():
        time.sleep(0.01)
        yield set()
    return
"""


def run_with_module(
    folder: Path, command: str, module: str, text: str
) -> subprocess.CompletedProcess[str]:
    """Run ``ebpfgen`` with another module in place of one that it imports."""
    (folder / f"{module}.py").write_text(text)
    path = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
    return run_cli(*command.split(), cwd=folder, env={"PYTHONPATH": path})


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("fate", FATES.values(), ids=FATES)
def test_an_exception_that_gets_lost_loses_no_signal(
    tmp_path: Path, fate: str, number: signal.Signals
) -> None:
    make_project(tmp_path)
    text = fate.format(kill=KILL.format(int(number)))
    done = run_with_module(tmp_path, "generate --watch", "watchfiles", f"{text}\n{WATCH}")
    assert (done.returncode, done.stdout, done.stderr) == (128 + number, "", "")


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize(
    ("command", "module"),
    [
        ("new created", "copier"),
        ("--help", "typer"),
        ("generate -j2", "typer"),
        ("trace", "subprocess"),
        ("generate --quiet", "tomllib"),
    ],
)
def test_a_signal_during_an_import_is_the_status(
    tmp_path: Path, command: str, module: str, number: signal.Signals
) -> None:
    make_project(tmp_path)
    text = FATES["it is caught"].format(kill=KILL.format(int(number)))
    done = run_with_module(tmp_path, command, module, text)
    assert (done.returncode, done.stdout, done.stderr) == (128 + number, "", "")


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_the_compilers_that_run(tmp_path: Path, number: signal.Signals) -> None:
    make_project(tmp_path)
    compiler = script(tmp_path / "cc", f"echo $$ > {tmp_path}/started; exec sleep 60")
    started = tmp_path / "started"
    done = interrupt_cli(
        *("generate", "--cc", compiler),
        cwd=tmp_path,
        when=lambda _: started.exists() and started.read_text().endswith("\n"),
        number=number,
    )
    assert (done.returncode, done.stdout, done.stderr) == (128 + number, "", "")
    assert not Path(f"/proc/{started.read_text().strip()}").exists()


def test_a_signal_while_threads_start_leaves_no_thread_behind(tmp_path: Path) -> None:
    """A pool does not know of a thread yet while it waits for the thread to start."""
    make_project(tmp_path)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal, threading, time\nreal = threading.Thread.start\n"
        "def start(thread):\n    real(thread)\n    time.sleep(0.5)\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\nthreading.Thread.start = start\n"
    )
    compiler = script(tmp_path / "cc", 'sleep 5; exec clang "$@"')
    path = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))
    env = {"PYTHONPATH": path, "TMPDIR": str(scratch)}
    done = run_cli("generate", "--cc", compiler, cwd=tmp_path, env=env)
    assert (done.returncode, done.stdout, done.stderr) == (143, "", "")
    assert list(scratch.iterdir()) == []


def test_two_signals_at_once_are_one(tmp_path: Path) -> None:
    """As a terminal that closes sends them: what runs is still ended in order."""
    make_project(tmp_path)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    compiler = script(tmp_path / "cc", f"touch {tmp_path}/started; exec sleep 60")

    def started(process: int) -> bool:
        if not (tmp_path / "started").exists():
            return False
        os.kill(process, signal.SIGHUP)
        return True

    done = interrupt_cli(
        *("generate", "--cc", compiler),
        cwd=tmp_path,
        when=started,
        env={"TMPDIR": str(scratch)},
        number=signal.SIGHUP,
    )
    assert (done.returncode, done.stderr) == (129, "")
    assert list(scratch.iterdir()) == []


def test_a_second_signal_ends_what_the_first_has_not(tmp_path: Path) -> None:
    """A module that loses the exception and waits, such as a callback that hangs."""
    make_project(tmp_path)
    lost = "import time\nopen('waits', 'w')\ntry: time.sleep(60)\nexcept BaseException: {}\n"
    waits = lost.format("open('still', 'w'); time.sleep(60)")
    (tmp_path / "watchfiles.py").write_text(waits)
    path = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))

    def waits_still(process: int) -> bool:
        if not (tmp_path / "waits").exists():
            return False
        if not (tmp_path / "still").exists():
            os.kill(process, signal.SIGINT)
            time.sleep(1.5)
            return False
        return True

    done = interrupt_cli(
        *("generate", "--watch"),
        cwd=tmp_path,
        when=waits_still,
        env={"PYTHONPATH": path},
        number=signal.SIGTERM,
    )
    assert (done.returncode, done.stderr) == (130, ""), "the first decides"


def test_signals_that_are_ignored_stay_so(tmp_path: Path) -> None:
    """As nohup has it."""
    make_project(tmp_path)
    compiler = script(tmp_path / "cc", 'kill -HUP $PPID; exec clang "$@"')
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        done = run_cli("generate", "--cc", compiler, cwd=tmp_path)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("moment", [1, 4, 7])
def test_new_leaves_all_of_a_project_or_nothing(tmp_path: Path, moment: int) -> None:
    """Ended after some of its files have come to their place."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, shutil, signal, sys\nreal, moved = shutil.move, []\n"
        "def move(*words):\n    moved.append(real(*words))\n"
        f"    if len(moved) == {moment}: os.kill(os.getpid(), signal.SIGTERM)\n"
        "shutil.move = move\n"
    )
    path = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))
    folder = tmp_path / "above"
    folder.mkdir()
    done = run_cli("new", "created", cwd=folder, env={"PYTHONPATH": path})
    assert (done.returncode, done.stdout, done.stderr) == (143, "", "")
    assert list(folder.iterdir()) == []


def test_the_commands_that_are_ended_are_those_there_are(tmp_path: Path) -> None:
    make_project(tmp_path)
    (tmp_path / "bpf.c").write_text(TINY)
    for command in COMMANDS.values():
        if "--watch" not in command and command != "trace":
            assert run_cli(*command.split(), cwd=tmp_path).returncode in {0, 1}, command
