"""Tries of prefixes: reading finds the longest."""

import ipaddress
from types import ModuleType
from typing import Any

import pytest

from ebpfgen import runtime as rt


def test_reading_finds_the_longest_prefix(objs: Any) -> None:
    routes = objs.Routes
    routes[routes.network("10.0.0.0/8")] = 8
    routes[routes.network("10.1.0.0/16")] = 16
    assert routes[routes.network("10.1.2.3")] == 16
    assert routes[routes.network("10.2.0.0/16")] == 8
    assert routes.network(ipaddress.ip_address("10.9.9.9")) in routes
    assert routes.network("11.0.0.0/8") not in routes
    with pytest.raises(KeyError):
        routes[routes.network("0.0.0.0/0")]


def test_iterating_and_deleting_are_about_the_prefixes_themselves(
    tables: ModuleType, objs: Any
) -> None:
    routes = objs.Routes
    entries = {routes.network(f"10.{i}.0.0/16"): i for i in range(3)}
    entries[routes.network("10.0.0.0/8")] = 8
    routes.update_many(entries)
    assert routes.read() == entries
    assert len(routes) == 4
    assert tables.TablesPrefix4(bits=16, address=b"\x0a\1\0\0") in list(routes)
    assert routes.pop(routes.network("10.1.0.0/16")) == 1
    with pytest.raises(KeyError):
        del routes[routes.network("10.1.0.0/16")]
    with pytest.raises(KeyError):
        routes.pop(routes.network("10.3.0.0/16"))
    assert routes[routes.network("10.1.0.0/16")] == 8
    assert sorted(value for _, value in routes.drain()) == [0, 2, 8]
    assert not routes


def test_a_trie_of_sixteen_bytes_takes_ipv6(objs: Any) -> None:
    routes = objs.Routes6
    routes[routes.network("2001:db8::/32")] = 32
    assert routes[routes.network(ipaddress.ip_network("2001:db8:1::/48"))] == 32
    assert routes.network("::1") not in routes


def test_a_network_of_the_wrong_size_is_refused(objs: Any) -> None:
    with pytest.raises(ValueError, match=r"routes has prefixes of 4 bytes, ::1/128 16"):
        objs.Routes.network("::1")
    with pytest.raises(ValueError, match=r"routes6 has prefixes of 16 bytes, 1.2.3.4/32 4"):
        objs.Routes6.network("1.2.3.4")
    with pytest.raises(ValueError, match="host bits set"):
        objs.Routes.network("10.0.0.1/8")
    with pytest.raises(ValueError, match="does not appear to be"):
        objs.Routes.network("example.org")


def test_any_bits_can_be_a_prefix(tables: ModuleType, objs: Any) -> None:
    assert objs.Routes.prefix(b"\xff", 3) == tables.TablesPrefix4(bits=3, address=b"\xff\0\0\0")
    objs.Routes[objs.Routes.prefix(b"\xe0", 3)] = 3
    assert objs.Routes[objs.Routes.prefix(b"\xff", 8)] == 3
    for data, bits in ((b"\xff", 9), (b"", -1), (b"12345", 1)):
        with pytest.raises(ValueError, match="are no prefix of map routes"):
            objs.Routes.prefix(data, bits)


def test_one_of_many_that_is_refused_is_named(tables: ModuleType, objs: Any) -> None:
    good, bad = objs.Routes.network("10.0.0.0/8"), tables.TablesPrefix4(bits=33, address=b"")
    with pytest.raises(rt.MapError, match=r"write TablesPrefix4\(bits=33, .* to map routes"):
        objs.Routes.update_many([(good, 1), (bad, 2)], flags=rt.BPF_NOEXIST)
    assert objs.Routes.read() == {good: 1}


def test_a_full_trie_says_so(objs: Any) -> None:
    for number in range(10):
        objs.Routes[objs.Routes.prefix(bytes([number]), 8)] = number
    with pytest.raises(OSError, match="no room left in its 10 entries"):
        objs.Routes[objs.Routes.prefix(b"\xff", 8)] = 1
