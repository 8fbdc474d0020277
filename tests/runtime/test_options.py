"""What may be said when an object is opened."""

import errno
import importlib
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType

import pytest

from ebpfgen import runtime as rt
from ebpfgen.runtime import kernel
from tests.building import REPOSITORY
from tests.runtime.conftest import need_kernel, need_own_mounts
from tests.runtime.snippets import open_c, refusal

READS_A_STRUCT = """
struct task_struct { int pid; } __attribute__((preserve_access_index));
SEC("raw_tp/sys_enter") int task(void *ctx)
{
	struct task_struct *task = (void *) bpf_get_current_task();
	int pid;

	bpf_probe_read_kernel(&pid, sizeof(pid), &task->pid);
	return pid;
}
"""


def pinned_map(value: str) -> str:
    return f"""
struct {{
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, u32);
	__type(value, {value});
	__uint(max_entries, 1);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
}} kept SEC(".maps");
"""


pytestmark = pytest.mark.usefixtures("bpf")


@pytest.fixture(scope="module")
def bound(bindings: Path) -> ModuleType:
    return importlib.import_module("globals")


class TestBtf:
    def run_without_kernels(self, btf: Path | None) -> subprocess.CompletedProcess[str]:
        """Load READS_A_STRUCT where the kernel does not show its types."""
        need_own_mounts()
        options = "" if btf is None else f"btf={str(btf)!r}"
        program = (
            "from tests.runtime.test_options import READS_A_STRUCT, open_c\n"
            f"with open_c(READS_A_STRUCT, {options}).load():\n    print('loaded')\n"
        )
        hide = 'mount -t tmpfs tmpfs /sys/kernel/btf && exec "$@"'
        return subprocess.run(
            ["unshare", "--mount", "sh", "-c", hide, "sh", sys.executable, "-c", program],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
        )

    def test_a_file_stands_in_for_a_kernel_without_types(self, tmp_path: Path) -> None:
        need_kernel("" if kernel.BTF.exists() else f"there is no {kernel.BTF} to copy")
        without = self.run_without_kernels(None)
        assert "this kernel does not say what its types are" in without.stderr
        copy = tmp_path / "kernel.btf"
        shutil.copyfile(kernel.BTF, copy)
        done = self.run_without_kernels(copy)
        assert done.stdout == "loaded\n", done.stderr

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(
            rt.LoadError, match="can't open snippet: btf=/none: No such f"
        ) as raised:
            open_c(READS_A_STRUCT, btf="/none")
        assert raised.value.errno == errno.ENOENT

    def test_a_file_that_is_something_else(self, tmp_path: Path) -> None:
        (tmp_path / "text").write_text("not a type in it")
        with pytest.raises(rt.LoadError, match="the file that btf= names holds no types"):
            open_c(READS_A_STRUCT, btf=tmp_path / "text").load()


class TestKconfig:
    @pytest.mark.parametrize(
        "given",
        [
            'CONFIG_HZ=4711\nCONFIG_BPF=n\nCONFIG_NO_SUCH_OPTION="mine"\n',
            {"CONFIG_HZ": 4711, "CONFIG_BPF": False, "CONFIG_NO_SUCH_OPTION": "mine"},
        ],
        ids=["text", "values"],
    )
    def test_values_come_before_those_of_the_kernel(
        self, bound: ModuleType, given: str | Mapping[str, bool | int | str]
    ) -> None:
        with bound.load_globals_objects(kconfig=given) as objs:
            assert objs.CONFIG_HZ.value == 4711
            assert objs.CONFIG_BPF.value is False
            assert objs.CONFIG_NO_SUCH_OPTION.value == b"mine"

    def test_the_others_are_the_kernels(self, bound: ModuleType) -> None:
        with bound.load_globals_objects(kconfig={"CONFIG_HZ": 4711}) as objs:
            assert objs.CONFIG_BPF.value is True

    def test_a_value_of_another_kind_is_refused(self, bound: ModuleType) -> None:
        with pytest.raises(rt.LoadError, match="'CONFIG_HZ': value '\"text\"' implies char array"):
            bound.load_globals_objects(kconfig={"CONFIG_HZ": "text"})


def test_definitions_of_newer_libbpfs_can_be_let_through() -> None:
    source = """
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, u32);
	__type(value, u64);
	__uint(max_entries, 1);
	__uint(no_such_attribute, 1);
} odd SEC(".maps");
"""
    with pytest.raises(rt.LoadError):
        open_c(source)
    open_c(source, relaxed_maps=True).load().close()


class TestPinRoot:
    @pytest.fixture
    def root(self, tmp_path: Path) -> Iterator[Path]:
        """Give a folder that is a BPF filesystem of its own."""
        mount = ["mount", "-t", "bpf", "bpf", str(tmp_path)]
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
        need_kernel(done.stderr.strip())
        yield tmp_path
        subprocess.run(["umount", str(tmp_path)], check=True)

    def test_maps_are_pinned_below_it(self, root: Path) -> None:
        with open_c(pinned_map("u64"), pin_root=root).load():
            assert (root / "kept").exists()
        assert (root / "kept").exists()

    def test_what_another_program_pinned_there_is_named(self, root: Path) -> None:
        open_c(pinned_map("u64"), pin_root=root).load().close()
        error = refusal(pinned_map("u32"), errno=errno.EINVAL, pin_root=root)
        assert f"map kept of snippet: a map of another type or size is pinned at {root}/k" in str(
            error
        )

    def test_a_folder_of_another_filesystem(self, tmp_path: Path) -> None:
        error = refusal(pinned_map("u64"), errno=errno.EINVAL, pin_root=tmp_path)
        assert f"pinned at {tmp_path}/kept, which is not on a BPF filesystem: mount" in str(error)

    def test_a_folder_that_is_not_there(self, root: Path) -> None:
        error = refusal(pinned_map("u64"), errno=errno.ENOENT, pin_root=root / "no" / "where")
        assert f"can't pin it at {root}/no/where/kept, or use what is there: No such" in str(error)


def test_an_option_that_there_is_not_is_an_error_of_the_program(bound: ModuleType) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'kernel_btf'"):
        bound.load_globals(kernel_btf="/none")
