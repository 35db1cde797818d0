"""A TURN server of Debian's `coturn`, on loopback."""

import asyncio
import os
import shutil
import socket
from contextlib import asynccontextmanager, suppress

__all__ = ["CREDENTIAL", "TURNSERVER", "USERNAME", "turn_server"]

TURNSERVER = shutil.which("turnserver")
USERNAME, CREDENTIAL = "ada", "se:cret"
STUN_REQUEST = bytes.fromhex("000100002112a442")
"""A binding request without its transaction's 12 bytes (RFC 8489, 5)."""


class _Answers(asyncio.DatagramProtocol):
    def __init__(self):
        self.came = asyncio.Event()

    def datagram_received(self, data, address):
        self.came.set()

    def error_received(self, error):
        """It does not listen yet."""


@asynccontextmanager
async def turn_server(folder):
    """Run one that asks for a password; return its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {
        "listening-ip": "127.0.0.1",
        "relay-ip": "127.0.0.1",
        "listening-port": port,
        "realm": "example.com",
        "user": f"{USERNAME}:{CREDENTIAL}",
        "userdb": folder / "turn.db",
        "pidfile": folder / "turn.pid",
        "log-file": folder / "turn.log",
    }
    alone = [
        "-n",
        "--lt-cred-mech",
        "--allow-loopback-peers",
        "--no-cli",
        "--no-tls",
        "--no-dtls",
        "--simple-log",
    ]
    command = [TURNSERVER, *alone, *(f"--{name}={value}" for name, value in options.items())]
    quiet = asyncio.subprocess.DEVNULL
    server = await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=quiet)
    try:
        async with asyncio.timeout(30):
            await _answers(port)
        yield port
    finally:
        server.terminate()
        await server.wait()


async def _answers(port):
    """Wait until it does."""
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        _Answers, remote_addr=("127.0.0.1", port)
    )
    while not protocol.came.is_set():
        transport.sendto(STUN_REQUEST + os.urandom(12))
        with suppress(TimeoutError):
            await asyncio.wait_for(protocol.came.wait(), 0.1)
    transport.close()
