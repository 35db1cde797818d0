"""Whose program is at the other end of a connection on this machine: its user, where the system tells."""

import ipaddress
import os
import sys
from pathlib import Path

__all__ = ["TABLES", "is_own", "owner"]

TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
"""Where Linux lists its connections, with the user of each."""

ROW = 200
"""Characters that a row has at the most behind its addresses."""

_USER = 4
"""The column of the user behind the addresses."""


def is_own(peer: tuple[str, int], here: tuple[str, int]) -> bool:
    """Tell whether the program at ``peer``, connected to us at ``here``, is of the user that we are of.

    Where the system does not tell, every program of this machine counts as our own.
    """
    if not ipaddress.ip_address(peer[0]).is_loopback:
        return False
    if not TABLES[0].exists():
        return True
    return owner(peer, here, [table.read_text() for table in TABLES if table.exists()]) == os.getuid()


def owner(peer: tuple[str, int], here: tuple[str, int], tables: list[str]) -> int | None:
    """Find the user of the socket from ``peer`` to ``here``, addresses and ports, in the kernel's tables. Pure."""
    for mapped in (False, True):
        ends = f": {_written(*peer, mapped)} {_written(*here, mapped)} "
        for table in tables:
            _, found, rest = table.partition(ends)
            columns = rest[:ROW].split()
            if found and len(columns) > _USER:
                return int(columns[_USER])
    return None


def _written(address: str, port: int, mapped: bool) -> str:  # noqa: FBT001 - one of two ways to write it
    """Write an address as the kernel does: words of four bytes in the machine's order, in hexadecimal."""
    ip = ipaddress.ip_address(address)
    if mapped and isinstance(ip, ipaddress.IPv4Address):
        ip = ipaddress.IPv6Address(b"\0" * 10 + b"\xff\xff" + ip.packed)
    words = (ip.packed[at : at + 4] for at in range(0, len(ip.packed), 4))
    packed = b"".join(word[::-1] if sys.byteorder == "little" else word for word in words)
    return f"{packed.hex().upper()}:{port:04X}"
