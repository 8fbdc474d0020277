"""From C to modules that import, in a folder of their own."""

import importlib
import os
import platform
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ebpfgen import runtime as rt
from ebpfgen.config import jobs_from_config
from ebpfgen.errors import CompileError, EbpfgenError, IdentifierError, OutputError
from ebpfgen.generate import generate
from ebpfgen.jobs import Options, job_from_arguments
from ebpfgen.run import Generated, Observer
from ebpfgen.target import find_target

from .building import HEADERS, KPROBE, OPENAT, PREAMBLE, files_of, map_definition, run_python

DEFAULT_FILES = ["bpf.py", "bpf_bpfeb.o", "bpf_bpfeb.py", "bpf_bpfel.o", "bpf_bpfel.py"]
AMD64_FILES = ["bpf.py", "bpf_bpfel_x86.o", "bpf_bpfel_x86.py"]

EVENT = "struct event { u32 pid; u64 time; char comm[16]; };" + map_definition("m", "struct event")


def run(
    folder: Path,
    *targets: str,
    source: str | None = None,
    ident: str = "bpf",
    flags: Sequence[str] = (),
    output_dir: str | None = None,
    warn: Callable[[str], None] | None = None,
) -> list[Generated]:
    """Generate a binding in *folder*, of the kprobe example or of C that becomes kprobe.c."""
    folder.mkdir(parents=True, exist_ok=True)
    if source is not None:
        (folder / "kprobe.c").write_text(PREAMBLE + source)
    elif not (folder / "kprobe.c").exists():
        shutil.copy(KPROBE, folder)
    options = Options(
        targets=targets,
        cflags=("-I", str(HEADERS), *flags),
        output_dir=Path(output_dir) if output_dir else None,
    )
    return generate(
        [job_from_arguments(ident, Path("kprobe.c"), folder, options)],
        observer=Observer(warning=warn),
    )


def generated_files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("bpf"))


@pytest.fixture
def importing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path, str], Any]:
    """Import a module by name from a folder, with nothing left of it afterwards."""

    def import_from(folder: Path, name: str) -> ModuleType:
        monkeypatch.syspath_prepend(folder)
        importlib.invalidate_caches()
        for known in list(sys.modules):
            if known.partition(".")[0].startswith(("bpf", "package")):
                monkeypatch.delitem(sys.modules, known)
        return importlib.import_module(name)

    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    return import_from


def test_the_default_is_five_files(tmp_path: Path) -> None:
    written = run(tmp_path)
    assert generated_files(tmp_path) == DEFAULT_FILES
    assert [(v.source, v.target.name, v.object.name) for v in written] == [
        ("kprobe.c", "bpfel", "bpf_bpfel.o"),
        ("kprobe.c", "bpfeb", "bpf_bpfeb.o"),
    ]
    assert [v.object_size for v in written] == [
        (tmp_path / name).stat().st_size for name in ("bpf_bpfel.o", "bpf_bpfeb.o")
    ]


def test_a_target_replaces_the_variants_of_earlier_runs(tmp_path: Path) -> None:
    run(tmp_path)
    run(tmp_path, "amd64")
    assert generated_files(tmp_path) == AMD64_FILES
    run(tmp_path)
    assert generated_files(tmp_path) == DEFAULT_FILES


def test_the_variants_of_another_binding_stay(tmp_path: Path) -> None:
    run(tmp_path, "bpfel", ident="bpf")
    run(tmp_path, "amd64", ident="bpf2")
    run(tmp_path, "arm64", ident="bpf")
    assert generated_files(tmp_path) == [
        "bpf.py",
        "bpf2.py",
        "bpf2_bpfel_x86.o",
        "bpf2_bpfel_x86.py",
        "bpf_bpfel_arm64.o",
        "bpf_bpfel_arm64.py",
    ]


def test_generating_again_changes_no_file(tmp_path: Path) -> None:
    run(tmp_path)
    for name in DEFAULT_FILES:
        os.utime(tmp_path / name, (1, 1))
    run(tmp_path)
    assert {(tmp_path / name).stat().st_mtime for name in DEFAULT_FILES} == {1}


FAILURES: dict[str, tuple[str, type[EbpfgenError]]] = {
    "C that does not compile": ("int a = b;", CompileError),
    "a name that Python can not have": (map_definition("_", "u64"), IdentifierError),
}


@pytest.mark.parametrize(("source", "error"), FAILURES.values(), ids=FAILURES)
def test_a_failing_run_leaves_the_last_good_files(
    tmp_path: Path, source: str, error: type[EbpfgenError]
) -> None:
    run(tmp_path)
    before = files_of(tmp_path)
    with pytest.raises(error):
        run(tmp_path, source=source)
    before["kprobe.c"] = (PREAMBLE + source).encode()
    assert files_of(tmp_path) == before


def test_a_failing_second_target_leaves_nothing_of_the_first(tmp_path: Path) -> None:
    only_little = "#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__\n#error big\n#endif\n"
    with pytest.raises(CompileError) as caught:
        run(tmp_path, source=only_little)
    assert caught.value.targets == ("bpfeb",)
    assert generated_files(tmp_path) == []


def test_a_failing_binding_does_not_hold_up_the_others(tmp_path: Path) -> None:
    shutil.copy(KPROBE, tmp_path / "good.c")
    (tmp_path / "bad.c").write_text("int a = b;")
    (tmp_path / "pyproject.toml").write_text(
        f"[tool.ebpfgen]\ncflags = ['-I{HEADERS}']\n"
        + "".join(
            f"[[tool.ebpfgen.bindings]]\nident = 'bpf_{name}'\nsource = '{name}.c'\n"
            for name in ("good", "bad")
        )
    )
    with pytest.raises(CompileError, match=r"bad\.c does not compile"):
        generate(jobs_from_config(tmp_path, Options()))
    assert generated_files(tmp_path) == [
        name.replace("bpf", "bpf_good", 1) for name in DEFAULT_FILES
    ]


def test_a_file_of_somebody_else_leaves_everything_as_it_was(tmp_path: Path) -> None:
    run(tmp_path)
    (tmp_path / "bpf_bpfel_x86.py").write_text("mine")
    before = files_of(tmp_path)
    with pytest.raises(OutputError, match=r"bpf_bpfel_x86\.py exists and was not written by"):
        run(tmp_path, "amd64")
    assert files_of(tmp_path) == before


def test_warnings_are_handed_on_once_for_all_targets(tmp_path: Path) -> None:
    said: list[str] = []
    shutil.copy(KPROBE, tmp_path)
    options = Options(cflags=("-I", str(HEADERS)), defines=("NO_SUCH_",))
    job = job_from_arguments("bpf", Path("kprobe.c"), tmp_path, options)
    assert len(generate([job], observer=Observer(warning=said.append))) == 2
    assert said == ["kprobe.c: no integer constant begins with NO_SUCH_\n"]


def test_warnings_of_clang_come_as_it_wrote_them(tmp_path: Path) -> None:
    said: list[str] = []
    run(tmp_path, "bpfel", source="#warning careful\n", warn=said.append)
    assert len(said) == 1
    assert "kprobe.c:6:2: warning: careful" in said[0]


GENERATE = """
from pathlib import Path
from ebpfgen.jobs import Options, job_from_arguments
from ebpfgen.generate import generate
options = Options(targets=("bpfel,bpfeb,amd64,arm64,s390x",), cflags=("-I", "headers"))
generate([job_from_arguments("bpf", Path("kprobe.c"), Path.cwd(), options)])
"""


def test_the_same_source_gives_the_same_bytes_anywhere(tmp_path: Path) -> None:
    made = []
    for name, seed in [("one", "0"), ("another folder/deeper", "1")]:
        folder = tmp_path / name
        folder.mkdir(parents=True)
        shutil.copytree(HEADERS, folder / "headers")
        (folder / "kprobe.c").write_text(PREAMBLE + EVENT + map_definition("n", "u64", type="HASH"))
        before = files_of(folder)
        done = run_python("-c", GENERATE, cwd=folder, env={"PYTHONHASHSEED": seed})
        assert done.returncode == 0, done.stderr
        made.append({name: data for name, data in files_of(folder).items() if name not in before})
    assert len(made[0]) == 11
    assert made[0] == made[1]


def test_bindings_import_from_a_flat_folder(
    tmp_path: Path, importing: Callable[[Path, str], Any]
) -> None:
    run(tmp_path)
    facade = importing(tmp_path, "bpf")
    variant = sys.modules[f"bpf_{'bpfel' if sys.byteorder == 'little' else 'bpfeb'}"]
    assert facade.__all__ == variant.__all__
    assert facade.BpfObjects is variant.BpfObjects
    with facade.load_bpf() as specs:
        assert specs.KprobeExecve.section == "kprobe/sys_execve"
        assert (specs.KprobeMap.value_size, specs.KprobeMap.max_entries) == (8, 1)


def test_bindings_import_from_a_package(
    tmp_path: Path, importing: Callable[[Path, str], Any]
) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package/__init__.py").touch()
    run(tmp_path, output_dir="package")
    facade = importing(tmp_path, "package.bpf")
    assert facade.BpfObjects.__module__.startswith("package.bpf_bpfe")
    assert not any(name.startswith("bpf_") for name in sys.modules)
    assert "from .bpf_bpfel import" in (tmp_path / "package/bpf.py").read_text()
    with facade.load_bpf() as specs:
        assert specs.KprobeMap.max_entries == 1


def test_the_variant_of_the_architecture_is_preferred(
    tmp_path: Path, importing: Callable[[Path, str], Any]
) -> None:
    run(tmp_path, "bpf,native")
    facade = importing(tmp_path, "bpf")
    assert facade.BpfObjects.__module__ == f"bpf_{find_target('native').suffix}"


@pytest.mark.parametrize("targets", ["bpfel,bpfeb", "bpfeb,bpfel", "s390x,amd64,arm64,bpf"])
def test_the_variant_has_the_byte_order_of_this_machine_whatever_comes_first(
    tmp_path: Path, importing: Callable[[Path, str], Any], targets: str
) -> None:
    run(tmp_path, targets)
    facade = importing(tmp_path, "bpf")
    little = facade.BpfObjects.__module__.startswith("bpf_bpfel")
    assert little == (sys.byteorder == "little")


FOREIGN = "s390x" if platform.machine() != "s390x" else "arm64"


def test_a_host_that_no_variant_fits_is_told_what_there_is(
    tmp_path: Path, importing: Callable[[Path, str], Any]
) -> None:
    variant = next(v.object.stem for v in run(tmp_path, FOREIGN))
    with pytest.raises(rt.NoVariantError) as caught:
        importing(tmp_path, "bpf")
    message = str(caught.value)
    assert isinstance(caught.value, ImportError)
    assert caught.value.name == "bpf"
    assert platform.machine() in message
    assert f"{variant} (" in message
    assert "--target native" in message


@pytest.mark.parametrize(
    ("module", "in_memory"),
    [
        ("bpf_bpfel", b"\x2a\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0bash" + bytes(12)),
        ("bpf_bpfeb", b"\0\0\0\x2a\0\0\0\0\0\0\0\0\0\0\0\1bash" + bytes(12)),
    ],
)
def test_a_record_of_any_byte_order_is_read_on_this_machine(
    tmp_path: Path, importing: Callable[[Path, str], Any], module: str, in_memory: bytes
) -> None:
    run(tmp_path, source=EVENT)
    record = importing(tmp_path, module).BpfEvent
    assert record.unpack_from(in_memory) == record(pid=42, time=1, comm=b"bash")
    assert record(pid=42, time=1, comm=b"bash").pack() == in_memory


def test_the_openat_program_needs_a_target_and_builds_with_one(tmp_path: Path) -> None:
    shutil.copy(OPENAT, tmp_path / "kprobe.c")
    with pytest.raises(CompileError, match="pass --target amd64"):
        run(tmp_path)
    run(tmp_path, "amd64")
    assert generated_files(tmp_path) == AMD64_FILES
    text = (tmp_path / "bpf_bpfel_x86.py").read_text()
    assert 'KprobeOpenat2 = rt.kprobe("kprobe_openat2")' in text
    assert "KprobeExecve" not in text


def test_a_variant_without_its_object_says_what_to_do(
    tmp_path: Path, importing: Callable[[Path, str], Any]
) -> None:
    run(tmp_path, "bpf")
    facade = importing(tmp_path, "bpf")
    for path in tmp_path.glob("*.o"):
        path.unlink()
    with pytest.raises(rt.BpfError, match="run ebpfgen generate"):
        facade.load_bpf()
