"""Parts of the runtime that need no kernel."""

import ast
import importlib
import os
import pickle
import resource
import sys
from pathlib import Path

import pytest

from ebpfgen import runtime as rt
from ebpfgen.runtime import kernel, rlimit
from tests.building import run_python


@pytest.mark.parametrize(
    ("codec", "value", "data"),
    [
        (rt.le.u16, 0x0102, b"\x02\x01"),
        (rt.be.u16, 0x0102, b"\x01\x02"),
        (rt.le.i32, -2, b"\xfe\xff\xff\xff"),
        (rt.be.i64, -2, b"\xff\xff\xff\xff\xff\xff\xff\xfe"),
        (rt.le.boolean, True, b"\x01"),
        (rt.be.f32, 1.5, b"\x3f\xc0\x00\x00"),
        (rt.chars(4), b"ab", b"ab\0\0"),
        (rt.raw(3), b"a\0b", b"a\0b"),
        (rt.array_of(rt.be.u16, 2), (1, 2), b"\0\1\0\2"),
        (rt.array_of(rt.array_of(rt.le.u8, 2), 2), ((1, 2), (3, 4)), b"\1\2\3\4"),
    ],
    ids=repr,
)
def test_a_codec_writes_and_reads(codec: rt.Codec[object], value: object, data: bytes) -> None:
    assert len(data) == codec.SIZE
    assert codec.pack(value) == data
    assert codec.unpack_from(b"??" + data + b"?", 2) == value


@pytest.mark.parametrize(
    ("codec", "value"),
    [
        (rt.le.u8, 256),
        (rt.le.i8, -129),
        (rt.le.u32, "1"),
        (rt.chars(2), b"abc"),
        (rt.array_of(rt.le.u8, 2), (1,)),
    ],
    ids=repr,
)
def test_a_codec_refuses_what_does_not_fit(codec: rt.Codec[object], value: object) -> None:
    with pytest.raises(ValueError, match=r"fit|elements"):
        codec.pack(value)


def test_a_buffer_that_is_too_short_is_refused() -> None:
    with pytest.raises(ValueError, match="2 bytes where 4 are needed"):
        rt.raw(4).unpack_from(b"ab")


def test_a_system_call_has_the_platforms_symbol(monkeypatch: pytest.MonkeyPatch) -> None:
    def on(machine: str, symbol: str) -> str | None:
        name = os.uname_result(("Linux", "host", "6.1.0-56-amd64", "#1", machine))
        monkeypatch.setattr(os, "uname", lambda: name)
        return kernel.syscall_symbol(symbol)

    assert on("x86_64", "sys_execve") == "__x64_sys_execve"
    assert on("aarch64", "sys_execve") == "__arm64_sys_execve"
    assert on("s390x", "sys_execve") == "__s390x_sys_execve"
    assert on("ppc64le", "sys_execve") is None
    assert on("x86_64", "do_sys_openat2") is None


@pytest.mark.parametrize(
    ("text", "version"),
    [("6.1.0-56-amd64", (6, 1)), ("5.10.0", (5, 10)), ("6.18-rc1", (6, 18)), ("4.19+", (4, 19))],
)
def test_the_kernels_version_is_two_numbers(
    monkeypatch: pytest.MonkeyPatch, text: str, version: tuple[int, int]
) -> None:
    name = os.uname_result(("Linux", "host", text, "#1", "x86_64"))
    monkeypatch.setattr(os, "uname", lambda: name)
    assert kernel.release() == version


def test_memlock_is_raised_only_where_the_kernel_charges_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raised: list[tuple[int, tuple[int, int]]] = []
    monkeypatch.setattr(resource, "setrlimit", lambda *arguments: raised.append(arguments))
    monkeypatch.setattr(kernel, "release", lambda: (5, 11))
    rlimit.remove_memlock()
    assert raised == []
    monkeypatch.setattr(kernel, "release", lambda: (5, 10))
    rlimit.remove_memlock()
    assert raised == [(resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY,) * 2)]


def test_memlock_that_can_not_be_raised_is_an_error_on_an_old_kernel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise ValueError("not allowed to raise maximum limit")

    monkeypatch.setattr(resource, "setrlimit", refuse)
    monkeypatch.setattr(kernel, "release", lambda: (4, 19))
    with pytest.raises(rt.BpfError, match="CAP_SYS_RESOURCE"):
        rt.remove_memlock()


def test_an_error_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(rt.AttachError(2, "can't attach x to y: no")))
    assert (type(error), error.errno, str(error)) == (
        rt.AttachError,
        2,
        "can't attach x to y: no",
    )


class TestVariants:
    ORDER = sys.byteorder
    OTHER = "big" if sys.byteorder == "little" else "little"

    @pytest.fixture(autouse=True)
    def modules(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        package = tmp_path / "variants_here"
        package.mkdir()
        (package / "__init__.py").touch()
        for folder in (tmp_path, package):
            for name in ("v_here", "v_order"):
                (folder / f"{name}.py").write_text(f"NAME = {name!r}\n")
        monkeypatch.syspath_prepend(str(tmp_path))

    def test_the_first_that_fits_is_imported(self) -> None:
        variants = (
            rt.Variant("v_absent", self.OTHER, (os.uname().machine,)),
            rt.Variant("v_absent", self.ORDER, ("no-machine",)),
            rt.Variant("v_here", self.ORDER, ("no-machine", os.uname().machine)),
            rt.Variant("v_order", self.ORDER),
        )
        assert rt.import_variant("bpf", "", variants).NAME == "v_here"
        assert rt.import_variant("bpf", None, variants[3:]).NAME == "v_order"
        inside = rt.import_variant("variants_here.bpf", "variants_here", variants)
        assert inside.__name__ == "variants_here.v_here"

    def test_none_that_fits_names_the_machine_and_what_there_is(self) -> None:
        variants = (
            rt.Variant("bpf_arch", self.ORDER, ("no-machine",)),
            rt.Variant("bpf_other", self.OTHER),
        )
        with pytest.raises(rt.NoVariantError) as raised:
            rt.import_variant("bpf", "", variants)
        assert isinstance(raised.value, ImportError)
        for word in (os.uname().machine, "bpf_arch", "no-machine", "bpf_other", "--target native"):
            assert word in str(raised.value)


def test_every_public_name_is_what_the_stub_says() -> None:
    stub = Path(rt.__file__).with_suffix(".pyi").read_text()
    imports = [node for node in ast.parse(stub).body if isinstance(node, ast.ImportFrom)]
    stubbed = {alias.asname or "": node.module for node in imports for alias in node.names}
    modules: dict[str, str] = vars(rt)["_MODULES"]
    assert stubbed.keys() == modules.keys()
    assert [name for name in stubbed if name not in dir(rt)] == []
    for name, module in stubbed.items():
        assert modules[name] == (module or "").removeprefix("ebpfgen.runtime."), name
        assert getattr(rt, name) is getattr(importlib.import_module(module or ""), name), name


def test_what_is_no_public_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"module 'ebpfgen.runtime' has no attribute 'bogus'"):
        rt.bogus  # type: ignore[attr-defined]  # noqa: B018


def test_a_module_is_imported_when_it_is_used() -> None:
    code = """
import sys
from ebpfgen import runtime as rt
rt.hash_map
print(*(name for name in sys.modules if name.startswith("ebpfgen.runtime.")))
"""
    done = run_python("-c", code, cwd=Path("/"))
    loaded = done.stdout.split()
    assert "ebpfgen.runtime.maps.hash" in loaded
    others = ("programs", "ringbuf", "perf", "maps.percpu", "maps.lpm", "testrun")
    assert [name for name in others if f"ebpfgen.runtime.{name}" in loaded] == []
