"""Bindings of objects that were built elsewhere, and objects without bindings."""

from pathlib import Path

import pytest

from ebpfgen.elf import read_elf

from .building import (
    PREAMBLE,
    TINY,
    compile_c,
    files_of,
    generate_here,
    generated,
    make_project,
    map_definition,
    run_cli,
)

SOURCE = PREAMBLE + map_definition("my_map", "struct event { u32 pid; }")


def place(folder: Path, *targets: str) -> None:
    """Objects with a map, called little.o, big.o or the like."""
    for target in targets or ("bpfel", "bpfeb"):
        (folder / f"{target}.o").write_bytes(compile_c(SOURCE, target))


def test_an_object_says_its_byte_order(tmp_path: Path) -> None:
    place(tmp_path)
    for target in ("bpfel", "bpfeb"):
        said = generated(tmp_path, "--object", f"{target}.o", target)
        assert said.startswith(f"{target}.o → {target}_{target}.py and .o")
        made = sorted(path.name for path in tmp_path.glob(f"{target}*") if path.stem != target)
        assert made == [f"{target}_{target}.o", f"{target}_{target}.py"]
        copy = (tmp_path / f"{target}_{target}.o").read_bytes()
        assert copy == (tmp_path / f"{target}.o").read_bytes()
        assert "class" in (tmp_path / f"{target}_{target}.py").read_text()


def test_one_binding_may_have_an_object_of_each_byte_order(tmp_path: Path) -> None:
    place(tmp_path)
    said = generated(tmp_path, "--object", "bpfeb.o", "--object=bpfel.o", "bpf")
    assert [line.partition(" and")[0] for line in said.splitlines()] == [
        "bpfeb.o, bpfel.o → bpf_bpfeb.py",
        "bpfeb.o, bpfel.o → bpf_bpfel.py",
    ]
    for target in ("bpfel", "bpfeb"):
        data = (tmp_path / f"bpf_{target}.o").read_bytes()
        assert data == (tmp_path / f"{target}.o").read_bytes()
    assert generated(tmp_path, "--object", "bpfeb.o", "--object=bpfel.o", "bpf").count("unch") == 2


def test_the_architecture_has_to_be_said(tmp_path: Path) -> None:
    place(tmp_path)
    generated(tmp_path, "--object", "bpfel.o", "-t", "amd64", "bpf")
    assert (tmp_path / "bpf_bpfel_x86.py").exists()


def test_no_compiler_is_needed_and_its_flags_do_not_matter(tmp_path: Path) -> None:
    place(tmp_path)
    env = {"PATH": "", "EBPFGEN_CFLAGS": "-DX", "EBPFGEN_CC": "no-such"}
    generated(tmp_path, "--object", "bpfel.o", "bpf", env=env)
    assert "unchanged)" in generated(tmp_path, "--object", "bpfel.o", "bpf")


def test_an_object_that_was_built_again_is_bound_again(tmp_path: Path) -> None:
    make_project(tmp_path, 'bpf\nobject = ["build/prog.o"]\noutput-dir = "."', defaults="")
    (tmp_path / "build").mkdir()
    (tmp_path / "build/prog.o").write_bytes(compile_c(SOURCE))
    generated(tmp_path)
    assert "MyMap" in (tmp_path / "bpf_bpfel.py").read_text()
    assert "unchanged)" in generated(tmp_path)
    (tmp_path / "build/prog.o").write_bytes(compile_c(SOURCE.replace("my_map", "new_map")))
    assert "unchanged)" not in generated(tmp_path)
    assert "NewMap" in (tmp_path / "bpf_bpfel.py").read_text()


REFUSED = {
    "no such file": ("--object no.o bpf", 1, "no object", "No such file"),
    "a folder": ("--object . bpf", 1, "no object", "it is not a regular file"),
    "no ELF": ("--object bpf.c bpf", 1, "bpf.c is no object file", "clang -target bpf"),
    "not of BPF": ("--object /bin/sh bpf", 1, "/bin/sh: an ELF file for EM_", "is no BPF object"),
    "no BTF": ("--object bare.o bpf", 1, "bare.o for bpfel has no BTF", "compile with -g"),
    "not the byte order": (
        "--object bpfel.o -t bpfeb bpf",
        1,
        "bpfel.o is little endian",
        "bpfeb",
    ),
    "too many": (
        "--object bpfel.o --object bpfeb.o -t bpfel bpf",
        2,
        "2 objects and 1 targets",
        "",
    ),
    "too few": ("--object bpfel.o -t bpfel,bpfeb bpf", 2, "1 objects and 2 targets", ""),
    "a source too": ("--object bpfel.o bpf bpf.c", 2, "SOURCE and --object don't go together", ""),
    "a constant": ("--object bpfel.o --define X bpf", 2, "--define and --object", "compiled"),
    "flags": ("--object bpfel.o bpf -- -DX", 2, "flags for clang and --object", "compiled"),
    "no ident": ("--object bpfel.o", 2, "IDENT is missing", ""),
    "twice": ("--object bpfel.o --object ./bpfel.o bpf", 2, "is named twice", ""),
}


@pytest.mark.parametrize(("words", "status", "said", "also"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_bound_is_one_line(
    tmp_path: Path, words: str, status: int, said: str, also: str
) -> None:
    place(tmp_path)
    (tmp_path / "bare.o").write_bytes(compile_c(SOURCE, "bpfel", "-g0"))
    (tmp_path / "bpf.c").write_text(TINY)
    before = files_of(tmp_path)
    done = generate_here(tmp_path, *words.split())
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (status, "", 1), done.stderr
    assert said in done.stderr
    assert also in done.stderr
    assert files_of(tmp_path) == before


def test_compile_only_writes_objects_and_nothing_else(tmp_path: Path) -> None:
    make_project(tmp_path, defaults="")
    said = generated(tmp_path, "--compile-only")
    assert said.startswith("bpf.c → bpf_bpfel.o (0.")
    assert sorted(files_of(tmp_path)) == ["bpf.c", "bpf_bpfeb.o", "bpf_bpfel.o", "pyproject.toml"]
    for target, order in (("bpfel", "little"), ("bpfeb", "big")):
        assert read_elf((tmp_path / f"bpf_{target}.o").read_bytes()).byte_order == order
    assert generated(tmp_path, "--compile-only").count("unchanged)") == 2


def test_compile_only_may_be_had_again_and_followed_by_modules(tmp_path: Path) -> None:
    make_project(tmp_path)
    generated(tmp_path, "--compile-only")
    first = (tmp_path / "bpf_bpfel.o").read_bytes()
    (tmp_path / "bpf.c").write_text("long counter;")
    generated(tmp_path, "--compile-only")
    assert (tmp_path / "bpf_bpfel.o").read_bytes() != first
    generated(tmp_path)
    whole = files_of(tmp_path)
    assert "unchanged)" in generated(tmp_path, "--compile-only")
    assert files_of(tmp_path) == whole, "a module says whose its object is"
    assert generated(tmp_path, "--check") == ""


@pytest.mark.parametrize("options", [(), ("--compile-only",)])
@pytest.mark.parametrize("theirs", [b"mine", b"", compile_c(SOURCE)], ids=["text", "empty", "BPF"])
def test_an_object_of_somebody_else_is_left_alone(
    tmp_path: Path, theirs: bytes, options: tuple[str, ...]
) -> None:
    make_project(tmp_path)
    (tmp_path / "bpf_bpfel.o").write_bytes(theirs)
    before = files_of(tmp_path)
    done = generate_here(tmp_path, *options)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "bpf_bpfel.o exists and was not written by ebpfgen" in done.stderr
    assert files_of(tmp_path) == before


def test_what_compile_only_writes_can_be_read_by_others(tmp_path: Path) -> None:
    (tmp_path / "prog.c").write_text(TINY)
    generated(tmp_path, "-t", "bpfel", "--compile-only", "bpf", "prog.c")
    done = run_cli("generate", "--object", "bpf_bpfel.o", "other", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
