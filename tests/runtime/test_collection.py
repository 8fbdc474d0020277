"""Objects load whole, say why if not, and go in order."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ebpfgen import runtime as rt


def test_a_refused_program_has_the_verifiers_log(bpf: None, refused: ModuleType) -> None:
    with pytest.raises(rt.LoadError) as raised:
        refused.load_refused_objects()
    error = raised.value
    assert "program careless of refused: the verifier says: " in str(error)
    assert "map_value_or_null" in str(error)
    assert "\n" not in str(error)
    assert error.verifier_log.count("\n") > 3
    assert "careless" in error.log


def test_specs_are_closed_once_refused(bpf: None, refused: ModuleType) -> None:
    specs = refused.load_refused()
    with pytest.raises(rt.LoadError):
        specs.load()
    assert specs.closed
    with pytest.raises(rt.StateError, match="refused is closed"):
        specs.load()


def test_specs_load_once(bpf: None, sample: ModuleType) -> None:
    specs = sample.load_sample()
    with specs.load(), pytest.raises(rt.StateError, match="is loaded"):
        specs.load()


def test_closing_specs_leaves_the_loaded_objects_alone(bpf: None, sample: ModuleType) -> None:
    with sample.load_sample() as specs:
        objs = specs.load()
    assert objs.Counts[0] == 0
    objs.close()


def test_closing_twice_does_nothing(objs: Any) -> None:
    objs.close()
    objs.close()
    assert objs.closed


def test_what_was_closed_says_so(objs: Any) -> None:
    counts, program = objs.Counts, objs.OnAnyCall
    link = program.attach()
    objs.close()
    assert link.closed
    for use in (lambda: counts[0], lambda: counts.fd, program.attach, objs.__enter__):
        with pytest.raises(rt.StateError, match="sample is closed"):
            use()


def test_the_object_is_found_inside_a_zip_file(bindings: Path, tmp_path: Path) -> None:
    archive = tmp_path / "app.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for file in bindings.glob("sample*.*"):
            packed.write(file, file.name)
    code = "import sample; print(sample.__file__, sample.load_sample().Counts.max_entries)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(archive)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{archive / 'sample.py'} 4\n"


def test_a_missing_object_file_says_what_to_do(bindings: Path, tmp_path: Path) -> None:
    module = f"sample_bpf{'el' if sys.byteorder == 'little' else 'eb'}.py"
    (tmp_path / "alone.py").write_bytes((bindings / module).read_bytes())
    done = subprocess.run(
        [sys.executable, "-c", "import alone; alone.load_sample()"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "BpfError" in done.stderr
    assert "run ebpfgen generate" in done.stderr.splitlines()[-1]
