"""libbpf's answers, and what it says meanwhile, reach the one who called it."""

import errno
import os
import subprocess
import sys
import threading
from types import ModuleType
from typing import Any

import pytest

from ebpfgen import runtime as rt
from ebpfgen.runtime._libbpf.library import captured_log, declare, describe, library, newer
from tests.building import REPOSITORY, program_definition
from tests.runtime.snippets import refusal


@pytest.mark.usefixtures("bpf")
class TestLog:
    def test_each_thread_has_its_own(self) -> None:
        def open_junk() -> None:
            library().bpf_object__open_mem(b"no object", 9, None)

        with captured_log() as log:
            thread = threading.Thread(target=open_junk)
            thread.start()
            thread.join()
            assert not log
            open_junk()
            assert log

    def test_one_within_another_keeps_to_itself(self) -> None:
        with captured_log() as outer:
            with captured_log() as inner:
                library().bpf_object__open_mem(b"no object", 9, None)
            assert inner
            assert not outer
            library().bpf_object__open_mem(b"no object", 9, None)
            assert outer

    def test_nothing_is_written_to_the_terminal(self) -> None:
        program = (
            "from tests.runtime.snippets import open_c, rt\n"
            f"try: open_c({program_definition('odd', 'fentry/no_such_function')!r}).load()\n"
            "except rt.LoadError as error: print(len(error.log) > 50)\n"
            "from ebpfgen.runtime._libbpf.library import library\n"
            "library().bpf_object__open_mem(b'no object', 9, None)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=REPOSITORY,
            env={**os.environ, "LIBBPF_LOG_LEVEL": "debug"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert (done.stdout, done.stderr) == ("True\n", "")


@pytest.mark.usefixtures("bpf")
class TestAnswers:
    def test_an_errno_comes_from_null_and_from_a_negative_number(self, sample: ModuleType) -> None:
        with sample.load_sample() as specs:
            handle: Any = specs._handle
            for find in (handle.find_program, handle.find_map):
                with pytest.raises(rt.BpfError, match="no_such: run ebpfgen generate") as raised:
                    find("no_such")
                assert raised.value.errno == errno.ENOENT
        error = refusal(program_definition("odd", "fentry/no_such_one"), errno=errno.ESRCH)
        assert error.__cause__ is not None


def test_functions_of_newer_libbpfs_name_the_version() -> None:
    declare({"bpf_no_such_function": (None, [])}, since="99.9")
    with pytest.raises(rt.NotSupportedError) as raised:
        newer("bpf_no_such_function")
    assert "lacks bpf_no_such_function(): install libbpf 99.9 or newer" in str(raised.value)
    assert raised.value.errno == errno.ENOSYS


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (errno.ENOENT, "No such file or directory"),
        (524, "Operation not supported"),
        (4003, "it is of the other byte order"),
    ],
)
def test_errors_of_the_kernel_and_of_libbpf_have_words(number: int, text: str) -> None:
    assert describe(number) == text


def test_functions_declared_after_the_first_call_have_their_prototypes() -> None:
    code = """
from ebpfgen.runtime._libbpf.library import library, version
version()
from ebpfgen.runtime._libbpf import linker
print(library().bpf_linker__new.argtypes is not None)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
