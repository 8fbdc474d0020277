"""What type checkers shall accept and reject of the modules beside this one's folders.

tests/test_golden.py runs mypy and pyright over it: they must find an error on each line that says
REJECTED and on no other.
"""

from __future__ import annotations

from typing import assert_type

import kprobe
import kprobe_bpfeb
import openat
import snake
import structs
from ebpfgen import runtime as rt


def accepted() -> None:
    rt.remove_memlock()
    with kprobe.load_kprobe() as specs:
        assert_type(specs, kprobe.KprobeSpecs)
        specs.KprobeMap.max_entries = 2
        specs.KprobeExecve.autoload = False
        assert_type(specs.KprobeExecve.section, str)
        assert_type(specs.load(), kprobe.KprobeObjects)
    with kprobe.load_kprobe_objects() as objs, objs.KprobeExecve.attach("sys_execve") as link:
        assert_type(link, rt.Link)
        assert_type(objs.KprobeExecve, rt.Kprobe)
        assert_type(objs.KprobeMap[0], int)
        assert_type(objs.KprobeMap[:], list[int])
        objs.KprobeMap[0] = 7
        objs.KprobeExecve.attach()
    with openat.load_openat_objects() as opens:
        assert_type(opens.KprobeOpenat2, rt.Kprobe)
    with snake.load_snake_objects() as snakes:
        assert_type(snakes.close_, rt.Kprobe)
        assert_type(snakes.flow_map[snake.SnakeFlowKey(1)], int)
    kprobe_bpfeb.load_kprobe().close()


def accepted_of_records(objs: structs.StructsObjects) -> None:
    address = structs.StructsAddress(bytes_of_it=b"\1\2", port=80)
    key = structs.StructsKey(address, address)
    value = objs.Flows[key]
    assert_type(value, structs.StructsValue)
    assert_type(value.comm, bytes)
    assert_type(value.counts, tuple[int, ...])
    assert_type(value.first, structs.StructsMomentT)
    assert_type(value.share, float)
    assert_type(value.alive, bool)
    value.delta = -1
    objs.Flows[key] = value
    for found, entry in objs.Flows.items():
        assert_type(found, structs.StructsKey)
        assert_type(entry, structs.StructsValue)
    assert_type(structs.StructsKey.unpack_from(key.pack()), structs.StructsKey)
    assert_type(structs.StructsKey.SIZE, int)
    assert_type(objs.Blobs[0], bytes)
    assert_type(objs.Triples[0], tuple[int, ...])
    assert_type(objs.Events.fd, int)
    assert_type(objs.EnterOpenat, rt.Tracepoint)
    assert_type(objs.LeaveOpenat, rt.Kretprobe)
    assert_type(objs.Drop, rt.Xdp)
    assert_type(objs.Drop.attach("eth0", mode=rt.XdpMode.GENERIC), rt.Link)
    assert_type(objs.Drop.attach_without_link(2, replace=True), rt.Attachment)
    assert_type(objs.attach(), rt.Links)


def rejected(specs: kprobe.KprobeSpecs, objs: kprobe.KprobeObjects) -> None:
    objs.KprobeMap["x"]  # REJECTED: an array has indices
    objs.KprobeMap[0] = "x"  # REJECTED: its values are numbers
    objs.KprobeMaps  # REJECTED: there is no such map
    objs.KprobeExecve.attach(7)  # REJECTED: a function has a name
    objs.KprobeExecve.attach("x", "y")  # REJECTED: and no second one
    objs.KprobeMap = 7  # REJECTED: a map is not to be replaced
    objs.load()  # REJECTED: it is loaded
    specs.KprobeExecve.attach("x")  # REJECTED: it is not loaded
    specs.KprobeMap[0]  # REJECTED: it is not created
    specs.KprobeMap.max_entries = "2"  # REJECTED: a number of entries


def rejected_of_records(objs: structs.StructsObjects, key: structs.StructsKey) -> None:
    objs.Flows[3]  # REJECTED: the key is a struct
    objs.Flows[key] = key  # REJECTED: the value is another one
    objs.Events[0]  # REJECTED: a ring buffer has no elements
    structs.StructsAddress(b"")  # REJECTED: it has two members
    structs.StructsAddress(b"", port="http")  # REJECTED: a port is a number
    structs.StructsAddress(b"", 80).host  # REJECTED: there is no such member
    structs.StructsAddress.unpack_from("text")  # REJECTED: text is no buffer
    objs.Drop.attach()  # REJECTED: it needs an interface
    objs.Drop.attach("eth0").handle  # REJECTED: a link is no filter
    objs.Drop.attach_without_link("eth0").pin("/sys/fs/bpf/x")  # REJECTED: it has no link
    objs.EnterOpenat.attach(cookie="x")  # REJECTED: a cookie is a number
