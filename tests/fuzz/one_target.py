"""Runs one target under atheris: ``python -m tests.fuzz.one_target NAME [libFuzzer's options]``."""

import sys

import atheris

with atheris.instrument_imports(include=["ebpfgen", "elftools"]):
    from tests.fuzz.targets import TARGETS_BY_NAME


def main() -> None:
    """Fuzz until libFuzzer's options say to stop."""
    target, _ = TARGETS_BY_NAME[sys.argv[1]]
    atheris.Setup([sys.argv[0], *sys.argv[2:]], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
