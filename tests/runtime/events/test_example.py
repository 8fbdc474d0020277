"""The example shows which programs are run, as a user runs it."""

import re
import subprocess
import sys

from tests.building import REPOSITORY


def test_a_line_for_every_program_that_is_run(bpf: None, tracefs: None) -> None:
    process = subprocess.Popen(
        [sys.executable, "main.py"],
        cwd=REPOSITORY / "examples/events",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == "Waiting for events..\n"
        # By a name that nobody else runs meanwhile.
        subprocess.run(["/bin/../bin/../bin/true"], check=True)
        for line in process.stdout:
            match = re.fullmatch(r"\d+\.\d{6}  .*-\d+ runs (.*)\n", line)
            assert match, line
            if match[1] == "/bin/../bin/../bin/true":
                break
        else:
            raise AssertionError(process.communicate()[1])
    finally:
        process.kill()
        process.communicate()
