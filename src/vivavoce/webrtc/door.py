"""One UDP port for all calls: what a firewall, a NAT or a container can let through.

Each peer has sockets of its own, at ports that nobody can foresee. The door stands before them: the answer to an offer
names only its address. The first packet of a caller is a STUN request that names the peer it is for (RFC 8445, 7.1.1:
USERNAME begins with the fragment from the answer); from then on, all that comes from there goes to that peer, and back.
Who a caller is, the peer finds out itself: STUN requests are signed, and media is encrypted.
"""

import asyncio
import logging
import socket
from dataclasses import dataclass, field
from typing import Self

__all__ = ["UdpDoor", "fragment", "without_candidates"]

MOST_PATHS = 8
"""Addresses that one call may come from at one time; a caller with several networks tries each."""

BUFFER_BYTES = 2**21
"""For what the system keeps while this process is busy: a fifth of a second of a thousand calls."""

_STUN_REQUEST = b"\x00\x01"
_STUN_COOKIE = b"\x21\x12\xa4\x42"
_STUN_HEADER = 20
_USERNAME = 6

Address = tuple[str, int]

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Call:
    """A peer behind the door."""

    target: Address
    paths: dict[Address, "_Path"] = field(default_factory=dict)


class _Path(asyncio.DatagramProtocol):
    """The way from one caller's address to a peer: the peer knows the caller by the port of this."""

    def __init__(self, door: "UdpDoor", caller: Address, target: Address) -> None:
        self._door = door
        self._caller = caller
        self._target = target
        self._transport: asyncio.DatagramTransport | None = None
        self._early: list[bytes] = []
        self._closed = False

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        """Send what came before there was a way; unless it has been closed meanwhile."""
        self._transport = transport
        if self._closed:
            transport.close()
            return
        for data in self._early:
            transport.sendto(data, self._target)
        self._early.clear()

    def datagram_received(self, data: bytes, address: Address) -> None:
        """Pass on what the peer sends."""
        if address == self._target:
            self._door.send(data, self._caller)

    def forward(self, data: bytes) -> None:
        """Pass on what the caller sends."""
        if self._transport is not None:
            self._transport.sendto(data, self._target)
        elif len(self._early) < MOST_PATHS:
            self._early.append(data)

    def close(self) -> None:
        """End the way."""
        self._closed = True
        if self._transport is not None:
            self._transport.close()


class UdpDoor(asyncio.DatagramProtocol):
    """A port that all calls share. Make one with `open`."""

    def __init__(self, public_address: str) -> None:
        self.address = public_address
        """Under which callers reach it."""
        self.port = 0
        self._transport: asyncio.DatagramTransport | None = None
        self._calls: dict[str, _Call] = {}
        self._callers: dict[Address, _Path] = {}
        self._opening: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(cls, host: str, port: int, public_address: str) -> Self:
        """Listen. Raises `OSError` where the port is taken."""
        loop = asyncio.get_running_loop()
        _, door = await loop.create_datagram_endpoint(lambda: cls(public_address), local_addr=(host, port))
        return door

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        """Begin to listen."""
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)

    def admit(self, answer: str) -> str:
        """Let callers through to the peer that gives this answer; return the answer that names the door instead."""
        lines, target = [], None
        for line in answer.splitlines(keepends=True):
            fields = line.split(" ")
            if not line.startswith("a=candidate:"):
                lines.append(line)
                continue
            if fields[2].lower() != "udp" or fields[7].strip() != "host":
                continue
            if target is None:
                target = (fields[4], int(fields[5]))
            if (
                fields[4],
                int(fields[5]),
            ) == target:  # one of its addresses will do: they are all this machine's
                fields[4:6] = [self.address, str(self.port)]
                lines.append(" ".join(fields))
        if target is not None:
            for name in _fragments(answer):
                self._calls[name] = _Call(target)
        return "".join(lines)

    def forget(self, answer: str) -> None:
        """Let nobody through to this peer any more."""
        for name in _fragments(answer):
            call = self._calls.pop(name, None)
            for caller, path in call.paths.items() if call else ():
                path.close()
                if self._callers.get(caller) is path:  # else the same caller has come anew
                    del self._callers[caller]

    def send(self, data: bytes, caller: Address) -> None:
        """Send something to a caller."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(data, caller)

    def datagram_received(self, data: bytes, address: Address) -> None:
        """Find out for whom a packet is, and pass it on; what is for nobody is nothing."""
        caller = address[:2]
        name = fragment(data)
        call = None if name is None else self._calls.get(name)
        if call is None:
            path = self._callers.get(caller)
        elif path := call.paths.get(caller) or self._open_path(call, caller):
            self._callers[caller] = path  # it may have asked for another peer before
        if path is not None:
            path.forward(data)

    def _open_path(self, call: _Call, caller: Address) -> _Path | None:
        if len(call.paths) >= MOST_PATHS:
            return None
        path = call.paths[caller] = _Path(self, caller, call.target)
        task = asyncio.create_task(self._listen(path, call.target[0]))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)
        return path

    async def _listen(self, path: _Path, host: str) -> None:
        try:
            await asyncio.get_running_loop().create_datagram_endpoint(lambda: path, local_addr=(host, 0))
        except OSError as error:
            _log.warning("a call cannot be let through: %s", error)

    async def close(self) -> None:
        """Let nobody through any more."""
        await asyncio.gather(*self._opening, return_exceptions=True)
        for call in self._calls.values():
            for path in call.paths.values():
                path.close()
        self._calls.clear()
        self._callers.clear()
        if self._transport is not None:
            self._transport.close()


def without_candidates(offer: str) -> str:
    """Return an offer that names no address: its peer waits for packets, and sends none where nobody asked for them."""
    unwanted = ("a=candidate:", "a=end-of-candidates")
    return "".join(line for line in offer.splitlines(keepends=True) if not line.startswith(unwanted))


def fragment(packet: bytes) -> str | None:
    """Return for whom a STUN request is: the first half of its USERNAME (RFC 8445, 7.2.2); None for other packets."""
    if len(packet) < _STUN_HEADER or packet[:2] != _STUN_REQUEST or packet[4:8] != _STUN_COOKIE:
        return None
    at = _STUN_HEADER
    while at + 4 <= len(packet):
        kind, size = int.from_bytes(packet[at : at + 2]), int.from_bytes(packet[at + 2 : at + 4])
        if kind == _USERNAME:
            name = packet[at + 4 : at + 4 + size].partition(b":")[0]
            return name.decode("ascii", errors="replace")
        at += 4 + size + -size % 4
    return None


def _fragments(answer: str) -> set[str]:
    return {line[12:].strip() for line in answer.splitlines() if line.startswith("a=ice-ufrag:")}
