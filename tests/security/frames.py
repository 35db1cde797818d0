"""WebSocket frames written by hand, as no library would write them."""

import asyncio
import os
import struct
from contextlib import asynccontextmanager

TEXT, BINARY, CLOSE, PING, PONG, CONTINUATION = 1, 2, 8, 9, 10, 0


def frame(opcode, payload=b"", *, fin=True, rsv=0, mask=True, claim=None):
    """Return a frame; ``claim`` is the length that it says it has."""
    length = len(payload) if claim is None else claim
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    bit = 0x80 if mask else 0
    if length < 126:
        head += bytes([bit | length])
    elif length < 2**16:
        head += bytes([bit | 126]) + struct.pack("!H", length)
    else:
        head += bytes([bit | 127]) + struct.pack("!Q", length)
    if not mask:
        return head + payload
    key = os.urandom(4)
    return head + key + bytes(byte ^ key[at % 4] for at, byte in enumerate(payload))


@asynccontextmanager
async def raw(port, *, headers=(), path="/v1/realtime?model=m"):
    """Open a session, and give its stream as it is, behind the first event."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [
        f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Upgrade: websocket", "Connection: Upgrade",
        "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", *headers, "", "",
    ]  # fmt: skip
    writer.write("\r\n".join(lines).encode())
    try:
        async with asyncio.timeout(30):
            head = await reader.readuntil(b"\r\n\r\n")
            assert b" 101 " in head
            await read_frame(reader)
            yield reader, writer
    finally:
        writer.transport.abort()


async def read_frame(reader):
    """Return the opcode and the payload of the server's next frame."""
    first, second = await reader.readexactly(2)
    length = second & 0x7F
    if length == 126:
        (length,) = struct.unpack("!H", await reader.readexactly(2))
    elif length == 127:
        (length,) = struct.unpack("!Q", await reader.readexactly(8))
    return first & 0xF, await reader.readexactly(length)


async def close_code(reader):
    """Read to the end; return the code of the server's close, or None where the line just ends."""
    try:
        while True:
            opcode, payload = await read_frame(reader)
            if opcode == CLOSE:
                return struct.unpack("!H", payload[:2])[0]
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
