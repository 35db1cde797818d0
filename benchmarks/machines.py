"""Two machines on this one that have a bad network between them, and no other: two network namespaces of Linux.

::

    near ── tun ──► line ──► tun ── far

All that either of them sends, whatever it is, passes through this process, where a line such as `lossy.BadLine` has
its way with it. It needs root, the program ``ip`` and ``/dev/net/tun``, but none of the kernel's modules for this.
"""

import asyncio
import contextlib
import fcntl
import os
import shutil
import struct
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, Self

__all__ = ["Line", "Machine", "Machines", "unavailable"]

TUN = Path("/dev/net/tun")

_SET_INTERFACE = 0x400454CA
_PACKETS = 0x0001 | 0x1000
"""IP packets, without anything before them (linux/if_tun.h: TUNSETIFF, IFF_TUN, IFF_NO_PI)."""

MOST_BYTES = 65_536


def unavailable() -> str | None:
    """Return what is missing for two machines on this one, None where nothing is."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "root"
    if shutil.which("ip") is None:
        return "the program ip"
    if not TUN.exists():
        return str(TUN)
    probe = f"vv{os.getpid()}probe"
    added = subprocess.run(["ip", "netns", "add", probe], capture_output=True, text=True, check=False)
    if added.returncode == 0:
        _ip("netns", "delete", probe)
        return None
    return f"the right to make network namespaces: {added.stderr.strip()}"


class Line(Protocol):
    """What becomes of packets."""

    def carry(self, deliver: Callable[[], None]) -> None:
        """Deliver a packet, now or later, or do not."""
        ...


@dataclass
class Machine:
    """One of the two."""

    name: str
    address: str

    def command(self, *command: str) -> list[str]:
        """Return a command that runs on this machine, as one for here."""
        return ["ip", "netns", "exec", self.name, *command]


class Machines:
    """Both of them, while the context lasts; what was started on them must have ended before."""

    def __init__(self, line: Line) -> None:
        self._line = line
        name = f"vv{os.getpid()}"
        self.near = Machine(f"{name}n", "198.51.100.1")
        self.far = Machine(f"{name}f", "198.51.100.2")
        self._ends: list[int] = []

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        try:
            for machine, other in ((self.near, self.far), (self.far, self.near)):
                self._ends.append(_plugged_in(machine, other))
        except BaseException:
            self._take_down()
            raise
        near, far = self._ends
        loop.add_reader(near, self._read, near, far)
        loop.add_reader(far, self._read, far, near)
        return self

    async def __aexit__(self, *_: object) -> None:
        for end in self._ends:
            asyncio.get_running_loop().remove_reader(end)
        self._take_down()

    def _take_down(self) -> None:
        ends, self._ends = self._ends, []
        for end in ends:
            os.close(end)
        for machine in (self.near, self.far):
            subprocess.run(["ip", "netns", "delete", machine.name], capture_output=True, check=False)

    def _read(self, here: int, there: int) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                packet = os.read(here, MOST_BYTES)
                self._line.carry(partial(self._write, there, packet))

    def _write(self, end: int, packet: bytes) -> None:
        if end in self._ends:
            with contextlib.suppress(OSError):  # as a full queue loses packets
                os.write(end, packet)


def _plugged_in(machine: Machine, other: Machine) -> int:
    """Make a machine with one cable in it; return the other end of the cable."""
    end = os.open(TUN, os.O_RDWR | os.O_NONBLOCK)
    try:
        fcntl.ioctl(end, _SET_INTERFACE, struct.pack("16sH22x", machine.name.encode(), _PACKETS))
        _ip("netns", "add", machine.name)
        _ip("link", "set", machine.name, "netns", machine.name)
        inside = ("-n", machine.name)
        _ip(*inside, "address", "add", machine.address, "peer", other.address, "dev", machine.name)
        _ip(*inside, "link", "set", "lo", "up")
        _ip(*inside, "link", "set", machine.name, "up")
    except BaseException:
        os.close(end)
        raise
    return end


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
