"""What type checkers shall accept and reject of the modules beside this one's folders.

tests/test_golden.py runs mypy and pyright over it: they must find an error on each line that says
REJECTED and on no other.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import assert_type

import globals as variables
import kprobe
import kprobe_bpfeb
import maps
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


def accepted_of_options_and_runs(objs: kprobe.KprobeObjects) -> None:
    kprobe.load_kprobe(btf="kernel.btf", pin_root="/sys/fs/bpf", relaxed_maps=True).close()
    kprobe.load_kprobe_objects(kconfig={"CONFIG_HZ": 100, "CONFIG_BPF": True}, log_level=2).close()
    assert_type(objs.KprobeExecve.info.run_count, int)
    assert_type(objs.KprobeExecve.test_run(b"data", repeat=2).ctx, bytes)
    assert_type(objs.KprobeExecve.test_run(ctx=b"args").data, bytes)
    address = structs.StructsAddress(bytes_of_it=b"", port=80)
    result = objs.KprobeExecve.test_run(ctx=address)
    assert_type(result.ctx, structs.StructsAddress)
    assert_type(result.return_value, int)
    with rt.enable_stats(), rt.open_pinned_program("/sys/fs/bpf/x") as program:
        assert_type(program.info, rt.ProgramInfo)


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


def accepted_of_variables(objs: variables.GlobalsObjects, specs: variables.GlobalsSpecs) -> None:
    assert_type(objs.Counter.value, int)
    assert_type(objs.Last.value, variables.GlobalsEv)
    assert_type(objs.Last.fields.pid, int)
    assert_type(objs.Last.fields.comm, bytes)
    assert_type(objs.Arr.value, tuple[int, ...])
    assert_type(objs.Arr[0], int)
    assert_type(objs.Arr[1:], tuple[int, ...])
    objs.Last.fields.pid += 1
    objs.Arr[0] = sum(objs.Arr)
    specs.Filter.fields.comm = b"x"
    specs.Arr[-1] = len(specs.Arr)


def rejected_of_variables(objs: variables.GlobalsObjects) -> None:
    objs.Last.fields.pid = "1"  # REJECTED: a pid is a number
    objs.Last.fields.uid  # REJECTED: there is no such member
    objs.Arr["x"]  # REJECTED: an array has indices
    objs.Arr[0] = b"x"  # REJECTED: of numbers
    objs.Counter.fields  # REJECTED: it is no struct
    objs.Counter[0]  # REJECTED: and no array
    objs.Last = objs.Last.value  # REJECTED: a variable is not to be replaced


def accepted_of_maps(objs: maps.MapsObjects, key: maps.MapsPrefix, entry: maps.MapsEntry) -> None:
    assert_type(objs.Entries, rt.HashMap[int, maps.MapsEntry])
    objs.Entries.put(1, entry, flags=rt.BPF_NOEXIST | rt.BPF_F_LOCK)
    objs.Entries.update_many({1: entry})
    objs.Entries.update_many([(1, entry)])
    objs.Entries.update({1: entry})
    assert_type(objs.Entries.read(), dict[int, maps.MapsEntry])
    assert_type(objs.Entries.pop(1), maps.MapsEntry)
    assert_type(objs.Entries.pop(1, None), maps.MapsEntry | None)
    assert_type(objs.Entries.get(1), maps.MapsEntry | None)
    assert_type(objs.Entries.drain(), list[tuple[int, maps.MapsEntry]])
    assert_type(objs.Entries.delete_many([1, 2]), int)
    assert_type(objs.Recent[1], maps.MapsEntry)
    assert_type(objs.CpuEntries[1], list[maps.MapsEntry])
    objs.CpuEntries[1] = (entry, entry)
    objs.RecentCpuEntries.update_many({1: (1, 2), 2: (3, 4)})
    assert_type(objs.Routes.network("10.0.0.0/8"), maps.MapsPrefix)
    objs.Routes[key] = 1
    assert_type(objs.CpuCounts[0], list[int])
    assert_type(objs.CpuCounts[:], list[list[int]])
    objs.CpuCounts[0] = (1, 2)
    objs.Line.push(entry)
    assert_type(objs.Line.pop(), maps.MapsEntry)
    assert_type(objs.Pile.drain(), list[int])
    objs.Seen.add(1)
    assert_type(1 in objs.Seen, bool)


def accepted_of_objects(objs: maps.MapsObjects, kprobes: kprobe.KprobeObjects) -> None:
    objs.Steps[0] = kprobes.KprobeExecve
    assert_type(objs.Steps[0], int)
    objs.Groups[0] = Path("/sys/fs/cgroup")
    assert_type(objs.Stacks[1], list[int])
    assert_type(objs.Devices.read(), dict[int, int])
    assert_type(objs.DevicesByMark[1], int)
    objs.Processors[0] = 192
    with socket.socket() as end:
        objs.Xsks[0] = end
        objs.Sockets[0] = end
        objs.Flows[maps.MapsPrefix(1, b"")] = end.fileno()
        objs.Servers[0] = end
        assert_type(objs.Sockets.get(0), int | None)
        assert_type(objs.OfSocket[end], maps.MapsEntry)
    assert_type(objs.OfTask.get(3, "none"), int | str | None)
    objs.OfInode["/etc/passwd"] = 1
    objs.OfCgroup[Path("/sys/fs/cgroup")] = 1
    assert_type(objs.Packets[1], int)
    assert_type(objs.CpuPackets[1], list[int])
    with objs.ByIndex[1] as inner, objs.ByPrefix.new(8) as made:
        assert_type(inner, rt.HashMap[int, maps.MapsEntry])
        objs.ByIndex[2] = made
        objs.ByPrefix[maps.MapsPrefix(1, b"")] = inner.fd
    assert_type(objs.ByIndex.ids(), dict[int, int])
    assert_type(objs.Memory.read(0, 8), bytes)


def accepted_of_members(specs: maps.MapsSpecs) -> None:
    with maps.MapsMaps.Entries.open("/sys/fs/bpf/entries", read_only=True) as entries:
        assert_type(entries, rt.HashMap[int, maps.MapsEntry])
    assert_type(maps.MapsMaps.Counts.open_id(7), rt.ArrayMap[int])
    with maps.MapsMaps.ByIndex.inner.create(100, flags=rt.MapFlag.NO_PREALLOC) as template:
        assert_type(template, rt.HashMap[int, maps.MapsEntry])
        specs.ByIndex.set_inner(template)
        specs.Entries.reuse(template)
    specs.Entries.flags |= rt.MapFlag.NO_PREALLOC
    specs.Entries.pin_path = "/sys/fs/bpf/entries"
    assert_type(specs.Entries.pin_path, Path | None)


async def accepted_of_events(
    objs: variables.GlobalsObjects, untyped: structs.StructsObjects
) -> None:
    assert_type(objs.Rb, rt.RingBuffer[variables.GlobalsEv])
    assert_type(objs.Rb.read(), list[variables.GlobalsEv])
    assert_type(objs.Rb.read_raw(), list[bytes])
    assert_type(objs.Rb.poll(timeout=0.5), list[variables.GlobalsEv])
    assert_type(objs.Pb.open(pages=8), rt.PerfBuffer[variables.GlobalsEv])
    assert_type(objs.Pb.read_by_cpu(), dict[int, list[variables.GlobalsEv]])
    assert_type(untyped.Events.read(), list[bytes])
    for event in objs.Rb:
        assert_type(event.pid, int)
        assert_type(rt.tail_of(event), bytes)
    async for event in objs.Pb:
        assert_type(event, variables.GlobalsEv)
    for buffer, events in rt.EventPoll(objs.Rb, objs.Pb).poll():
        assert_type(buffer, rt.EventBuffer[variables.GlobalsEv])
        assert_type(events, list[variables.GlobalsEv])
    rt.EventPoll(objs.Rb, untyped.Events)


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
    kprobe.load_kprobe(kernel_btf="x")  # REJECTED: there is no such option
    kprobe.load_kprobe_objects(log_level="all")  # REJECTED: a level is a number
    objs.KprobeExecve.test_run("text")  # REJECTED: data is bytes
    objs.KprobeExecve.test_run(ctx=7)  # REJECTED: a context is bytes or a struct
    objs.KprobeExecve.info.id = 7  # REJECTED: it is what the kernel says


def rejected_of_maps(objs: maps.MapsObjects, entry: maps.MapsEntry) -> None:
    objs.Entries["x"]  # REJECTED: its keys are numbers
    objs.Entries.put(1, entry, flags=1)  # REJECTED: flags are rt.BPF_*
    objs.Entries.update_many({1: 2})  # REJECTED: its values are structs
    objs.CpuCounts[0] = 1  # REJECTED: there is a value for each CPU
    objs.Routes["10.0.0.0/8"]  # REJECTED: network() makes the key
    objs.Line[0]  # REJECTED: a queue has no elements
    objs.Groups[0]  # REJECTED: the kernel does not tell
    objs.Steps[0] = "program"  # REJECTED: a program, or its descriptor
    objs.OfTask["/etc/passwd"]  # REJECTED: a task has no path
    objs.ByIndex[0] = 2.5  # REJECTED: a map, or its descriptor
    maps.MapsMaps.Entries[0]  # REJECTED: it is not open


def rejected_of_records(objs: structs.StructsObjects, key: structs.StructsKey) -> None:
    objs.Flows[3]  # REJECTED: the key is a struct
    objs.Flows[key] = key  # REJECTED: the value is another one
    objs.Events[0]  # REJECTED: a ring buffer has no elements
    objs.Events.push(b"")  # REJECTED: nor can one write to it
    rt.tail_of(objs.Events.read()[0])  # REJECTED: bytes have no tail
    structs.StructsAddress(b"")  # REJECTED: it has two members
    structs.StructsAddress(b"", port="http")  # REJECTED: a port is a number
    structs.StructsAddress(b"", 80).host  # REJECTED: there is no such member
    structs.StructsAddress.unpack_from("text")  # REJECTED: text is no buffer
    objs.Drop.attach()  # REJECTED: it needs an interface
    objs.Drop.attach("eth0").handle  # REJECTED: a link is no filter
    objs.Drop.attach_without_link("eth0").pin("/sys/fs/bpf/x")  # REJECTED: it has no link
    objs.EnterOpenat.attach(cookie="x")  # REJECTED: a cookie is a number
