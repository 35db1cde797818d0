"""The Wyoming protocol's wire, and a connection to a server that speaks it.

An event is a line of JSON with its type, then as many bytes of JSON as the line's ``data_length`` names, then as
many bytes of sound as its ``payload_length``.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec

from vivavoce.engine.models.unreachable import why_unreachable
from vivavoce.errors import ModelError

__all__ = ["Event", "WyomingConnection", "WyomingServer", "encode"]

CONNECT_SECONDS = 5.0
"""How long a connection may take."""

SILENCE_SECONDS = 60.0
"""How long a server may say nothing: Whisper on a small computer thinks for longer than its audio lasts."""

LONGEST = 1 << 24
"""Bytes of data or of sound in one event; a description of two hundred voices has a hundred thousand."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the protocol."""

    type: str
    data: dict[str, Any] = field(default_factory=dict)
    payload: bytes = b""


class _Head(msgspec.Struct):
    type: str
    data: dict[str, Any] | None = None
    data_length: int | None = None
    payload_length: int | None = None


def encode(event: Event) -> bytes:
    """Write an event."""
    data = json.dumps(event.data).encode() if event.data else b""
    head = {"type": event.type, "data_length": len(data), "payload_length": len(event.payload)}
    return json.dumps(head).encode() + b"\n" + data + event.payload


class WyomingConnection:
    """One connection, for one request."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, *events: Event) -> None:
        """Send events, as fast as the server takes them."""
        for event in events:
            self._writer.write(encode(event))
            async with asyncio.timeout(SILENCE_SECONDS):
                await self._writer.drain()

    async def receive(self) -> Event:
        """Return the next event. Raises `ModelError` when it is an error, none, or longer than any should be."""
        async with asyncio.timeout(SILENCE_SECONDS):
            event = await self._read()
        if event.type == "error":
            raise ModelError(str(event.data.get("text", "it failed, and did not say why.")))
        return event

    async def _read(self) -> Event:
        try:
            line = await self._reader.readline()
            if not line:
                raise ModelError("the connection was closed before the answer's end.")
            head = msgspec.json.decode(line, type=_Head)
            more = await self._part(head.data_length)
            data = (head.data or {}) | (msgspec.json.decode(more, type=dict[str, Any]) if more else {})
        except (msgspec.MsgspecError, ValueError) as error:
            raise ModelError(f"expected an event of the Wyoming protocol, and got none: {error}.") from error
        return Event(head.type, data, await self._part(head.payload_length))

    async def _part(self, length: int | None) -> bytes:
        if not 0 <= (length or 0) <= LONGEST:
            raise ModelError(f"expected events of at most {LONGEST} bytes, and one has {length}.")
        return await self._reader.readexactly(length or 0)


@dataclass(frozen=True, slots=True)
class WyomingServer:
    """Where a server is. Each request has a connection of its own, which is how such servers tell them apart."""

    host: str
    port: int

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[WyomingConnection]:
        """Connect for one request; what fails within comes out as `ModelError` that says whose it is."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                reader, writer = await asyncio.open_connection(self.host, self.port)
        except TimeoutError as error:
            raise self.error("it cannot be reached (no answer).") from error
        except OSError as error:
            raise self.error(f"it cannot be reached ({why_unreachable(error)}).") from error
        try:
            yield WyomingConnection(reader, writer)
        except (OSError, EOFError) as error:
            why = f"it said nothing for {SILENCE_SECONDS:g} s" if isinstance(error, TimeoutError) else error
            raise self.error(f"the connection was lost in the middle ({why}).") from error
        except ModelError as error:
            raise self.error(error) from error
        finally:
            writer.close()

    async def describe(self) -> dict[str, Any]:
        """Return what the server can do."""
        async with self.connect() as connection:
            await connection.send(Event("describe"))
            while (event := await connection.receive()).type != "info":
                pass
        return event.data

    def error(self, what: object) -> ModelError:
        """Return an error that says whose it is."""
        return ModelError(f"{self}: {what}")

    def __str__(self) -> str:
        return f"wyoming://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"
