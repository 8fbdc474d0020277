"""Longest-prefix-match tries."""

import struct
from typing import TYPE_CHECKING, Generic, TypeVar

from ebpfgen.runtime.codec import Codec
from ebpfgen.runtime.maps.constants import MapType
from ebpfgen.runtime.maps.hash import HashMap
from ebpfgen.runtime.maps.member import MapMember, keyed

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

    Network = str | IPv4Network | IPv6Network | IPv4Address | IPv6Address

K = TypeVar("K")
V = TypeVar("V")

_PREFIX_LENGTH = struct.Struct("=I")


class LpmTrieMap(HashMap[K, V], Generic[K, V]):
    """A trie of prefixes. A key is a length in bits, then bytes with as many bits or more.

    Reading, and ``in``, finds the longest prefix that the key begins with. Deleting, iterating and
    setting are about the prefixes themselves. :meth:`network` and :meth:`prefix` make keys::

        trie[trie.network("10.0.0.0/8")] = 1
        trie[trie.network("10.1.2.3")]  # 1
    """

    def network(self, network: "Network") -> K:
        """Return the key of an IP network or address, for tries of 4 or 16 bytes.

        Raises ValueError if it is none, has bits set after its prefix, or is of the other size.
        """
        import ipaddress

        found = ipaddress.ip_network(network)
        size = self.key_size - _PREFIX_LENGTH.size
        data = found.network_address.packed
        if len(data) != size:
            raise ValueError(f"map {self.name} has prefixes of {size} bytes, {found} {len(data)}")
        return self.prefix(data, found.prefixlen)

    def prefix(self, data: bytes, bits: int) -> K:
        """Return the key of the first *bits* of *data*, most significant first, filled with zeros.

        Raises ValueError if that is more than *data* has, or *data* more than the map's keys.
        """
        size = self.key_size - _PREFIX_LENGTH.size
        if len(data) > size or not 0 <= bits <= 8 * len(data):
            raise ValueError(
                f"{bits} bits of {len(data)} bytes are no prefix of map {self.name}, whose keys "
                f"have {size} bytes"
            )
        return self._key.unpack_from(_PREFIX_LENGTH.pack(bits) + data.ljust(size, b"\0"))


def lpm_trie(name: str, *, key: Codec[K], value: Codec[V]) -> MapMember[LpmTrieMap[K, V]]:
    """Declare a trie of prefixes."""
    return keyed(name, MapType.LPM_TRIE, LpmTrieMap[K, V], key, value)
