"""Variants are made side by side; what fails hides nothing, and Ctrl-C leaves nothing behind."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ebpfgen.config import jobs_from_config
from ebpfgen.generate import generate
from ebpfgen.jobs import Options
from ebpfgen.run import Generated, Observer, Settings, usable_cpus

from .building import (
    files_of,
    generate_here,
    generated,
    interrupt_cli,
    make_project,
    script,
)

CLANG = shutil.which("clang")
IDENTS = [f"b{number}" for number in range(6)]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path / "project", *IDENTS)


def counting(folder: Path) -> Path:
    """A compiler that writes down how many of it run while it does."""
    running = folder / "running"
    running.mkdir()
    return script(
        folder / "counting-clang",
        f"touch {running}/$$\nls {running} | wc -l >> {folder}/counts\nsleep 0.1\n"
        f'ls {running} | wc -l >> {folder}/counts\n{CLANG} "$@"\nrm {running}/$$',
    )


@pytest.mark.parametrize("jobs", [1, 3])
def test_as_many_variants_as_asked_for_are_made_at_once(
    project: Path, tmp_path: Path, jobs: int
) -> None:
    generated(project, f"-j{jobs}", env={"EBPFGEN_CC": str(counting(tmp_path))})
    counts = [int(line) for line in (tmp_path / "counts").read_text().split()]
    assert len(counts) == 2 * len(IDENTS)
    assert max(counts) == jobs


def test_the_default_is_the_processors_that_may_be_used(project: Path, tmp_path: Path) -> None:
    cc = counting(tmp_path)
    ours = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(ours)})
    try:
        assert usable_cpus() == 1
        generated(project, env={"EBPFGEN_CC": str(cc)})
    finally:
        os.sched_setaffinity(0, ours)
    assert set((tmp_path / "counts").read_text().split()) == {"1"}


def test_lines_come_in_the_order_of_the_bindings_whichever_ends_first(
    project: Path, tmp_path: Path
) -> None:
    # The first is the last.
    late = script(
        tmp_path / "late-clang",
        f'case "$*" in *"-c b0.c"*) while [ ! -e {project}/done ]; do sleep 0.01; done;; esac\n'
        f'{CLANG} "$@" || exit\ncase "$*" in *"-c b5.c"*) touch {project}/done;; esac',
    )
    output = generated(project, "-j2", env={"EBPFGEN_CC": str(late)})
    assert [line.partition(" ")[0] for line in output.splitlines()] == [f"{i}.c" for i in IDENTS]


def test_every_failure_is_shown_by_source_and_target(project: Path) -> None:
    (project / "b1.c").write_text("int a = one;\n")
    (project / "b2.c").write_text(
        "#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__\nint a = big;\n#else\nint a = little;\n#endif\n"
    )
    (project / "b4.c").write_text('#include "four.h"\n')
    done = generate_here(project, "-t", "bpfel,bpfeb")
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert [line for line in lines if "error:" in line or line.startswith("ebpfgen: ")] == [
        "b1.c:1:9: error: use of undeclared identifier 'one'",
        "ebpfgen: b1.c does not compile for targets bpfel, bpfeb",
        "b2.c:4:9: error: use of undeclared identifier 'little'",
        "ebpfgen: b2.c does not compile for target bpfel",
        "b2.c:2:9: error: use of undeclared identifier 'big'",
        "ebpfgen: b2.c does not compile for target bpfeb",
        "b4.c:1:10: fatal error: 'four.h' file not found",
        "ebpfgen: b4.c does not compile for targets bpfel, bpfeb",
    ]
    made = {line.partition(" ")[0] for line in done.stdout.splitlines()}
    assert made == {"b0.c", "b3.c", "b5.c"}
    assert {path.stem for path in project.glob("b?.py")} == {"b0", "b3", "b5"}


def test_what_only_ebpfgen_sees_is_said_once_with_its_source(project: Path) -> None:
    (project / "b1.c").write_text("int _;\n")
    done = generate_here(project, "-t", "bpfel,bpfeb")
    assert done.returncode == 1
    assert done.stderr == "ebpfgen: b1.c: C name '_' leaves nothing to name it in Python\n"
    done = generate_here(project, "-t", "bpfel,bpfeb", "--", "-g0")
    assert done.stderr.splitlines() == [
        f"ebpfgen: {ident}.c for bpfel, bpfeb has no BTF: compile with -g (and without -g0)"
        for ident in IDENTS
    ]


def test_what_is_wrong_with_the_machine_is_said_once(project: Path) -> None:
    done = generate_here(project, "-t", "bpfel,bpfeb", env={"PATH": ""})
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("ebpfgen: clang not found: install it")


def test_a_compiler_that_writes_nothing_is_one_line(project: Path) -> None:
    done = generate_here(project, "--cc", "true")
    assert done.returncode == 1
    assert done.stderr == "ebpfgen: true ended well but wrote no object: check --cc\n"


# What a compiler does that never ends: it may be a program, run another, or not want to end.
ENDS = {
    "Ctrl-C, a program": ("exec sleep 600", signal.SIGINT, 130),
    "Ctrl-C, a script": ("sleep 600 & echo $! >> IDS; wait", signal.SIGINT, 130),
    "Ctrl-C, a stubborn script": ("trap '' TERM; sleep 600", signal.SIGINT, 130),
    "kill": ("sleep 600 & echo $! >> IDS; wait", signal.SIGTERM, 143),
    "a terminal that closes": ("sleep 600 & echo $! >> IDS; wait", signal.SIGHUP, 129),
}


@pytest.mark.parametrize(("text", "number", "status"), ENDS.values(), ids=ENDS)
def test_what_ends_a_run_ends_the_compilers_and_leaves_the_last_files(
    project: Path, tmp_path: Path, text: str, number: signal.Signals, status: int
) -> None:
    generated(project)
    before = files_of(project)
    ids, scratch = tmp_path / "ids", tmp_path / "scratch"
    ids.touch()
    scratch.mkdir()
    clang = script(tmp_path / "clang", f"echo $$ >> {ids}\n{text.replace('IDS', str(ids))}")
    expected = 4 if "IDS" in text else 2
    done = interrupt_cli(
        *("generate", "--force", "-j2", "--cc", clang),
        cwd=project,
        env={"TMPDIR": str(scratch)},
        when=lambda _: len(ids.read_text().splitlines()) == expected,
        number=number,
    )
    assert (done.returncode, done.stdout, done.stderr) == (status, "", "")
    running = [int(line) for line in ids.read_text().split() if not is_gone(int(line))]
    for process in running:
        os.kill(process, signal.SIGKILL)
    assert running == []
    assert len(ids.read_text().splitlines()) == expected, "and none is begun"
    assert files_of(project) == before
    assert list(scratch.iterdir()) == []


def is_gone(process: int) -> bool:
    """Whether no such process runs, be it that nobody has asked yet how it ended."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


def test_what_stops_whoever_is_told_ends_the_compilers_too(project: Path, tmp_path: Path) -> None:
    """The first binding is there, and told of, while the others are still compiled."""
    ids = tmp_path / "ids"
    ids.touch()
    clang = script(
        tmp_path / "clang",
        f'case "$*" in *"-c b0.c"*) exec {CLANG} "$@";; esac\necho $$ >> {ids}; exec sleep 600',
    )
    jobs = jobs_from_config(project, Options(cc=str(clang)))

    def stop(_: Generated) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        generate(jobs, Settings(workers=2), Observer(variant=stop))
    running = [int(line) for line in ids.read_text().split() if not is_gone(int(line))]
    for process in running:
        os.kill(process, signal.SIGKILL)
    assert (caught.type, running) == (KeyboardInterrupt, [])
    assert len(ids.read_text().split()) <= 2, "none is begun any more"
    assert sorted(path.name for path in project.glob("b?.py")) == ["b0.py"]


def test_the_sources_of_one_binding_are_compiled_side_by_side(tmp_path: Path) -> None:
    """Each compiler waits for the other one to have begun."""
    for name in "ab":
        (tmp_path / f"{name}.c").write_text(f"int {name};\n")
    clang = script(
        tmp_path / "clang",
        f"""touch {tmp_path}/begun-$$
for i in $(seq 100); do
    [ "$(ls {tmp_path} | grep -c begun-)" = 2 ] && exec {CLANG} "$@"
    sleep 0.1
done
exit 1""",
    )
    target = "bpfel" if sys.byteorder == "little" else "bpfeb"
    done = generate_here(tmp_path, "-j2", "-t", target, "--cc", clang, "bpf", "a.c", "b.c")
    assert (done.returncode, done.stderr) == (0, "")
    linked = (tmp_path / f"bpf_{target}.o").read_bytes()
    assert b".debug_" not in linked, "libbpf's linker leaves the DWARF out"
    assert b".BTF\0" in linked


def test_the_objects_of_one_binding_are_stripped_together(project: Path) -> None:
    done = generate_here(project, "-v", "-t", "bpfel,bpfeb")
    strips = [line for line in done.stderr.splitlines() if "llvm-strip" in line]
    assert len(strips) == len(IDENTS)
    for path in project.glob("b?_*.o"):
        assert b".debug_" not in path.read_bytes()


def test_runs_at_once_do_not_mix_their_files(project: Path) -> None:
    for option in ("--force", "--check"):
        runs = [
            subprocess.Popen(
                [sys.executable, "-m", "ebpfgen", "generate", "--quiet", option],
                cwd=project,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for _ in range(4)
        ]
        assert [(run.communicate()[0], run.returncode) for run in runs] == [("", 0)] * 4
    names = {name for name in files_of(project) if not name.startswith("b")}
    assert names == {"pyproject.toml"}, "no temporary file is left"
