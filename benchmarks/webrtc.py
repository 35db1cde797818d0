"""What a call over WebRTC costs the server, beside the same talk over a WebSocket.

    python benchmarks/webrtc.py [--calls 4] [--seconds 12]

A gateway with the scripted engine runs in a process of its own. So many callers at once speak all the time, and each
asks for an answer of some ten seconds; first over WebSockets, then over WebRTC. Prints the processor time of the
gateway for each caller, as a share of one core, and how long after ``response.create`` the first sound of the answer
is there: the first audio event, or the first frame that is not silent.
"""

import argparse
import asyncio
import base64
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np

from vivavoce import RealtimeClient
from vivavoce.protocol.client_events import InputAudioBufferAppend
from vivavoce.protocol.server_events import ResponseOutputAudioDelta
from vivavoce.webrtc.peer import PeerTransport

SCRIPT = "turns: [{say: '" + "One word follows on the next. " * 8 + "'}]\nafter: repeat\n"
FRAME_S = 0.04
FRAME = np.random.default_rng(0).normal(0, 300, 960).astype("<i2").tobytes()
AUDIBLE = 500
"""Of 32768: above what Opus makes of silence."""


async def serve(folder: str) -> tuple[asyncio.subprocess.Process, str]:
    """Start a gateway; return its process and its address."""
    script = Path(folder) / "script.yaml"
    script.write_text(SCRIPT)
    process = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-c",
            "from vivavoce.cli import main; main()",
            "serve",
            "--port",
            "0",
            "--engine",
            "scripted",
        ),
        *("--script", str(script)),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "VIVAVOCE_HISTORY": "off"},
    )
    assert process.stdout is not None
    async for line in process.stdout:
        for word in line.decode().split():
            if word.startswith("http://"):
                return process, word.split("/?")[0].rstrip("/")
    raise SystemExit("the gateway did not start")


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used (proc(5): fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def talk(client: RealtimeClient, seconds: float) -> float:
    """Speak and listen for so long; return how many milliseconds the answer was away."""
    audio = base64.b64encode(FRAME).decode()
    began = asked = time.monotonic()
    first = asyncio.get_running_loop().create_future()

    def hear(event: object) -> None:
        if isinstance(event, ResponseOutputAudioDelta) and not first.done():
            pcm = np.frombuffer(base64.b64decode(event.delta), "<i2")
            if np.abs(pcm).max(initial=0) > AUDIBLE:
                first.set_result((time.monotonic() - asked) * 1000)

    client.on("response.output_audio.delta", hear)
    for number in range(int(seconds / FRAME_S)):
        if number == int(1 / FRAME_S):
            asked = time.monotonic()
            await client.create_response()
        await client.send(InputAudioBufferAppend(audio=audio))
        await asyncio.sleep(began + (number + 1) * FRAME_S - time.monotonic())
    delay: float = await first
    return delay


async def measure(
    name: str, pid: int, calls: int, seconds: float, make: Callable[[], Awaitable[RealtimeClient]]
) -> float:
    """Let so many talk; print and return the share of a core that one takes."""
    clients = [await make() for _ in range(calls)]
    for client in clients:
        await client.update_session(turn_detection=None)
    before, began = cpu_seconds(pid), time.monotonic()
    delays = await asyncio.gather(*(talk(client, seconds) for client in clients))
    share = (cpu_seconds(pid) - before) / (time.monotonic() - began) / calls
    for client in clients:
        await client.close()
    print(f"{name:10}{share:14.2%}{statistics.median(delays):14.0f}{max(delays):10.0f}")
    return share


async def run(calls: int, seconds: float) -> None:
    """Compare both."""
    with tempfile.TemporaryDirectory() as folder:
        process, address = await serve(folder)
        url = f"{address}/v1"
        try:
            print(f"{calls} callers at once\n{'':10}{'of a core each':>14}{'first, ms':>14}{'worst':>10}")
            socket = await measure(
                "WebSocket", process.pid, calls, seconds, lambda: RealtimeClient(url, model="m").connect()
            )
            call = await measure(
                "WebRTC",
                process.pid,
                calls,
                seconds,
                lambda: RealtimeClient(transport=lambda: PeerTransport.connect(url)).connect(),
            )
            print(f"a call costs {call / socket:.1f} times as much; a core holds {1 / call:.0f}")
        finally:
            process.terminate()
            await process.wait()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=4, help="callers at once")
    parser.add_argument("--seconds", type=float, default=12, help="how long each of them talks")
    arguments = parser.parse_args()
    asyncio.run(run(arguments.calls, arguments.seconds))


if __name__ == "__main__":
    main()
