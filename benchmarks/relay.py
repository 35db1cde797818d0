"""What a relay costs: processor time for each message, latency that it adds, and memory for each session, side by side.

    python benchmarks/relay.py [--sessions 100 400] [--seconds 8] [--only nginx vivavoce]

Every session carries one message of 2.6 kB, 40 ms of audio as JSON, every 40 ms in each direction. This process is all
clients and the endpoint at once, and reads a clock on both sides of a relay, which is a process of its own:

- nothing: clients talk with the endpoint itself. What this takes is no relay's doing, and is taken off.
- nginx: the floor. It copies bytes and knows nothing of messages.
- vivavoce: `vivavoce serve` in front of the endpoint, with history and all else that it has by itself but continuity.
- enduring: the same as it comes: it could restore each session at any moment.
- node: a relay in JavaScript, on the package ``ws``.
- starlette: a relay in Python, on Starlette, uvicorn and ``websockets``.

What is not installed is left out, and said to be. Processor time and memory are those that the system counts for the
process. Latency is measured under the load itself: messages of all sessions leave at the same millisecond or the next.
"""

import argparse
import asyncio
import base64
import hashlib
import importlib.util
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MESSAGE_BYTES = 2600
PERIOD = 0.04
WARM_UP_SECONDS = 2.0
ROOT = Path(__file__).parents[1]
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
EVENT_ID = b'"event_id":"'
BEGIN_BYTES = 96
"""The part of a message in which that stands, wherever a relay puts it."""
HEAD = b"{" + EVENT_ID
"""What each message begins with; the time at which it was sent follows, in 19 digits."""
DIGITS = 19
UP = b'","type":"input_audio_buffer.append","audio":"'
DOWN = (
    b'","type":"response.output_audio.delta","response_id":"resp_1","item_id":"item_1","output_index":0,'
    b'"content_index":0,"delta":"'
)
CREATED = b'{"event_id":"event_1","type":"session.created","session":{"type":"realtime","id":"sess_1"}}'
DEFECT = b'","type":"error"'


def frame(payload: bytes, *, masked: bool, opcode: int = 1) -> bytes:
    """Write a WebSocket frame. The mask is 0, which a relay must take off all the same."""
    bit = 0x80 if masked else 0
    mask = bytes(4) if masked else b""
    if len(payload) < 126:
        return bytes([0x80 | opcode, bit | len(payload)]) + mask + payload
    return bytes([0x80 | opcode, bit | 126]) + len(payload).to_bytes(2, "big") + mask + payload


class Side(asyncio.Protocol):
    """One end of one session: a client, or the endpoint."""

    def __init__(self, *, client: bool, ready: Callable[["Side"], None]) -> None:
        self.client = client
        self.latencies: list[int] = []
        self._ready = ready
        self._kept = b""
        self._open = False
        self._tail = UP if client else DOWN
        self._tail += b"A" * (MESSAGE_BYTES - len(HEAD) - DIGITS - len(self._tail) - 2) + b'"}'

    def connection_made(self, transport: Any) -> None:
        """Ask for an upgrade, if this is a client."""
        self.transport = transport
        if self.client:
            transport.write(
                b"GET /v1/realtime?model=gpt-realtime HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            )

    def say(self) -> None:
        """Send one message, with the time in it."""
        now = b"%019d" % time.perf_counter_ns()
        self.transport.write(frame(HEAD + now + self._tail, masked=self.client))

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        data = self._kept + data if self._kept else data
        at = 0
        if not self._open:
            if (end := data.find(b"\r\n\r\n")) < 0:
                self._kept = data
                return
            self._upgrade(data[:end])
            at = end + 4
        while (size := self._frame(data, at)) is not None:
            at += size
        self._kept = data[at:]

    def _upgrade(self, head: bytes) -> None:
        if self.client:
            if b" 101 " not in head[:20]:
                raise RuntimeError(f"expected an upgrade, got {head[:200]!r}")
        else:
            lines = dict(line.partition(b":")[::2] for line in head.split(b"\r\n"))
            headers = {name.lower(): value.strip() for name, value in lines.items()}
            if (key := headers.get(b"sec-websocket-key")) is None:
                self.transport.write(b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n")
                self.transport.close()
                return
            accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
            protocol = (
                b"Sec-WebSocket-Protocol: realtime\r\n" if b"sec-websocket-protocol" in headers else b""
            )
            self.transport.write(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Accept: " + accept + b"\r\n" + protocol + b"\r\n"
            )
            self.transport.write(frame(CREATED, masked=False))
            self._ready(self)
        self._open = True

    def _frame(self, data: bytes, at: int) -> int | None:
        """Read one frame; return its size, or None where it is not whole yet."""
        if len(data) < at + 2:
            return None
        masked, length, head = data[at + 1] & 0x80, data[at + 1] & 0x7F, 2
        if length == 126:
            if len(data) < at + 4:
                return None
            length, head = int.from_bytes(data[at + 2 : at + 4], "big"), 4
        head += 4 if masked else 0
        if len(data) < at + head + length:
            return None
        start = at + head
        match data[at] & 0x0F:
            case 1 | 2:
                mask = data[start - 4 : start] if masked else b""
                self._hear(data[start : start + BEGIN_BYTES], mask, length)
            case 9:
                self.transport.write(frame(data[start : start + length], masked=self.client, opcode=10))
        return head + length

    def _hear(self, begin: bytes, mask: bytes, length: int) -> None:
        if length != MESSAGE_BYTES:
            if self.client:
                self._ready(self)  # session.created
            return
        if mask:
            key = int.from_bytes(mask * (BEGIN_BYTES // 4), "big")
            begin = (int.from_bytes(begin, "big") ^ key).to_bytes(BEGIN_BYTES, "big")
        at = begin.index(EVENT_ID) + len(EVENT_ID)  # a relay may write fields in an order of its own
        sent = int(begin[at : at + DIGITS])
        self.latencies.append(time.perf_counter_ns() - sent)


@dataclass
class Cost:
    """What one relay took for so many sessions."""

    relay: str
    sessions: int
    messages: int = 0
    cpu_us: float = 0.0
    memory_kb: float = 0.0
    latencies: list[int] = field(default_factory=list)

    def at(self, share: float) -> float:
        """Return the latency, in milliseconds, that so many messages did not exceed."""
        return statistics.quantiles(self.latencies, n=1000)[round(share * 1000) - 1] / 1e6


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def nginx(folder: Path, port: int, endpoint: int) -> list[str] | None:
    """Return the command of an nginx of one process."""
    program = shutil.which("nginx")
    if program is None:
        return None
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;"
        "events { worker_connections 8192; }"
        f"http {{ access_log off; {temporary} server {{ listen 127.0.0.1:{port}; location / {{"
        f"proxy_pass http://127.0.0.1:{endpoint}; proxy_http_version 1.1; proxy_read_timeout 1h;"
        'proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; } } }'
    )
    return [program, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]


def enduring(folder: Path, port: int, endpoint: int) -> list[str] | None:
    """Return the command of the gateway as it comes, with a history of its own."""
    url = f"ws://127.0.0.1:{endpoint}/v1/realtime"
    program = shutil.which("vivavoce", path=str(Path(sys.executable).parent)) or "vivavoce"
    served = [program, "serve", "--port", str(port), "--upstream", url, "--max-sessions", "1000"]
    return ["env", f"VIVAVOCE_HISTORY_FOLDER={folder}", *served]


def vivavoce(folder: Path, port: int, endpoint: int) -> list[str] | None:
    """Return the command of the gateway whose sessions end as those of the endpoint do."""
    return ["env", "VIVAVOCE_CONTINUITY=false", *(enduring(folder, port, endpoint) or ())]


NODE = """
const {WebSocketServer, WebSocket} = require('ws');
const [port, endpoint] = process.argv.slice(2);
new WebSocketServer({port, host: '127.0.0.1', perMessageDeflate: false}).on('connection', (client) => {
  const far = new WebSocket(`ws://127.0.0.1:${endpoint}/v1/realtime`, {perMessageDeflate: false});
  const early = [];
  far.on('open', () => early.splice(0).forEach((data) => far.send(data)));
  far.on('message', (data) => client.send(data.toString()));
  client.on('message', (data) => {
    JSON.parse(data.toString()).type;
    far.readyState === WebSocket.OPEN ? far.send(data.toString()) : early.push(data.toString());
  });
  client.on('close', () => far.close());
  far.on('close', () => client.close());
});
"""


def node(folder: Path, port: int, endpoint: int) -> list[str] | None:
    """Return the command of a relay in JavaScript, which looks at the type of what clients say, as relays do."""
    program = shutil.which("node")
    if program is None or not (ROOT / "node_modules" / "ws").exists():
        return None
    (folder / "relay.cjs").write_text(NODE)
    return [program, str(folder / "relay.cjs"), str(port), str(endpoint)]


STARLETTE = """
import asyncio, json, sys
import uvicorn, websockets
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

port, endpoint = sys.argv[1:]
url = f"ws://127.0.0.1:{endpoint}/v1/realtime"

async def relay(client):
    async with websockets.connect(url, compression=None, max_size=None) as far:
        await client.accept()
        async def up():
            while True:
                text = await client.receive_text()
                json.loads(text)["type"]
                await far.send(text)
        async def down():
            async for text in far:
                await client.send_text(text)
        tasks = [asyncio.create_task(up()), asyncio.create_task(down())]
        done, rest = await asyncio.wait(tasks, return_when="FIRST_COMPLETED")
        for task in rest:
            task.cancel()

app = Starlette(routes=[WebSocketRoute("/v1/realtime", relay)])
uvicorn.run(app, port=int(port), log_level="error", ws_per_message_deflate=False)
"""


def starlette(folder: Path, port: int, endpoint: int) -> list[str] | None:
    """Return the command of a relay in Python, which looks at the type of what clients say, as relays do."""
    if not all(importlib.util.find_spec(name) for name in ("starlette", "uvicorn", "websockets")):
        return None
    (folder / "relay.py").write_text(STARLETTE)
    return [sys.executable, str(folder / "relay.py"), str(port), str(endpoint)]


RELAYS = {"nginx": nginx, "vivavoce": vivavoce, "enduring": enduring, "node": node, "starlette": starlette}


def used(pid: int) -> tuple[float, int]:
    """Return the processor time of a process, in seconds, and its memory, in kB."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return seconds, pages * os.sysconf("SC_PAGE_SIZE") // 1024


async def listening(port: int) -> None:
    """Wait until somebody listens at ``port``."""
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                return


async def talk(sides: list[Side], seconds: float) -> int:
    """Let all sides say one message every `PERIOD`, evenly spread, for so long; return how many messages that was."""
    said, began = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - began) < seconds:
        due = int(elapsed / PERIOD * len(sides))
        for number in range(said, due):
            sides[number % len(sides)].say()
        said = due
        await asyncio.sleep(0.001)
    return said


async def measure(name: str, count: int, seconds: float) -> Cost | None:
    """Run one relay under ``count`` sessions; None where it is not installed."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Queue[Side] = asyncio.Queue()
    far: list[Side] = []

    def endpoint_side() -> Side:
        return Side(client=False, ready=far.append)

    server = await loop.create_server(endpoint_side, "127.0.0.1", 0, backlog=1024)
    endpoint = server.sockets[0].getsockname()[1]
    process = None
    with tempfile.TemporaryDirectory() as folder:
        try:
            port = endpoint
            if name != "nothing":
                port = free_port()
                command = RELAYS[name](Path(folder), port, endpoint)
                if command is None:
                    return None
                environment = os.environ | {"NODE_PATH": str(ROOT / "node_modules")}
                process = await asyncio.create_subprocess_exec(
                    *command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
                )
                await listening(port)
            cost = Cost(name, count)
            clients = await connected(cost, port, process, far, ready)
            return await load(cost, process, clients + far, seconds)
        finally:
            if process is not None:
                process.terminate()
                await process.wait()
            server.close()


async def connected(
    cost: Cost,
    port: int,
    process: asyncio.subprocess.Process | None,
    far: list[Side],
    ready: "asyncio.Queue[Side]",
) -> list[Side]:
    """Open the sessions, and one more at first, which makes the relay load what it loads late."""
    loop = asyncio.get_running_loop()
    clients: list[Side] = []
    for number in range(cost.sessions + 1):
        if number == 1 and process is not None:
            await talk([clients[0], far[0]], 0.5)
            cost.memory_kb = -used(process.pid)[1]
        _, side = await loop.create_connection(
            lambda: Side(client=True, ready=ready.put_nowait), "127.0.0.1", port
        )
        clients.append(side)
        async with asyncio.timeout(20):
            await ready.get()
    return clients


async def load(
    cost: Cost, process: asyncio.subprocess.Process | None, sides: list[Side], seconds: float
) -> Cost:
    """Let the sessions talk, and count."""
    await talk(sides, WARM_UP_SECONDS)
    for side in sides:
        side.latencies.clear()
    before = used(process.pid)[0] if process is not None else 0.0
    cost.messages = await talk(sides, seconds)
    await asyncio.sleep(0.2)
    if process is not None:
        after, memory = used(process.pid)
        cost.cpu_us = (after - before) / cost.messages * 1e6
        cost.memory_kb = (cost.memory_kb + memory) / cost.sessions
    cost.latencies = [latency for side in sides for latency in side.latencies]
    if len(cost.latencies) != cost.messages:
        print(
            f"{cost.relay}: {cost.messages} messages were sent, {len(cost.latencies)} came in time",
            file=sys.stderr,
        )
    for side in sides:
        side.transport.close()
    return cost


async def main(sessions: list[int], seconds: float, only: list[str]) -> None:
    """Measure them all, and print what came out."""
    print(f"load of this machine before: {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores")
    print(
        "| sessions | relay | CPU a message | times nginx | added, median | added, p99 | memory a session |"
    )
    print("|---|---|---|---|---|---|---|")
    for count in sessions:
        floor, bare = None, None
        for name in ["nothing", *only]:
            cost = await measure(name, count, seconds)
            if cost is None:
                print(f"| {count} | {name} | not installed | | | | |", flush=True)
                continue
            if name == "nothing":
                bare = cost
                print(
                    f"| {count} | nothing | | | ({cost.at(0.5):.2f} ms) | ({cost.at(0.99):.2f} ms) | |",
                    flush=True,
                )
                continue
            floor = cost.cpu_us if name == "nginx" else floor
            times = f"{cost.cpu_us / floor:.1f}" if floor else ""
            assert bare is not None
            print(
                f"| {count} | {name} | {cost.cpu_us:.1f} µs | {times} | {cost.at(0.5) - bare.at(0.5):.2f} ms "
                f"| {cost.at(0.99) - bare.at(0.99):.2f} ms | {cost.memory_kb:.0f} kB |",
                flush=True,
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sessions", type=int, nargs="+", default=[100, 400])
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--only", nargs="+", choices=list(RELAYS), default=list(RELAYS))
    given = parser.parse_args()
    try:
        import uvloop

        loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = uvloop.new_event_loop
    except ImportError:
        loop_factory = None
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(main(given.sessions, given.seconds, given.only))
