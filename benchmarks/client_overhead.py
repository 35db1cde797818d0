"""What a client costs: processor time for each event, and memory kept after ten minutes of speech, side by side.

    python benchmarks/client_overhead.py [--minutes 10] [--rounds 3]

A server in another process sends an answer as it looks on the wire (a transcript delta and an audio delta of 200 ms in
turn) as fast as it is read. Each client, in a process of its own, reads it through its public interface, WebSocket
included, and is measured by the processor time of its process. What it keeps is the growth of what Python has
allocated, after the answer and a garbage collection.

The last column leaves out the WebSocket, which is not the client's own: an audio delta is there already, and is turned
into what a program reads. The official package does nothing but that; ours follows the conversation too. That of the
agents has no such seam.
"""

import argparse
import asyncio
import base64
import gc
import json
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

DELTA = base64.b64encode(bytes(9600)).decode()
"""200 ms of PCM16 at 24 kHz."""

PLACE = {"response_id": "resp_1", "item_id": "item_1", "output_index": 0, "content_index": 0}
WARM_UP = 200
"""Pairs of deltas before anything is measured."""


def events(pairs: int) -> list[str]:
    """Return an answer with so many pairs of deltas."""
    message = {"id": "item_1", "type": "message", "role": "assistant"}
    empty = {**message, "status": "in_progress", "content": []}
    transcript = "word " * pairs
    content = [{"type": "output_audio", "transcript": transcript}]
    full = {**message, "status": "completed", "content": content}
    response: dict[str, Any] = {
        "object": "realtime.response",
        "id": "resp_1",
        "conversation_id": "conv_1",
        "metadata": None,
    }
    response |= {
        "status_details": None,
        "output_modalities": ["audio"],
        "max_output_tokens": "inf",
        "usage": None,
    }
    began: list[dict[str, Any]] = [
        {"type": "response.created", "response": {**response, "status": "in_progress", "output": []}},
        {"type": "response.output_item.added", "response_id": "resp_1", "output_index": 0, "item": empty},
        {"type": "conversation.item.added", "previous_item_id": None, "item": empty},
        {"type": "response.content_part.added", **PLACE, "part": {"type": "audio", "transcript": ""}},
    ]
    pair: list[dict[str, Any]] = [
        {
            "type": "response.output_audio_transcript.delta",
            **PLACE,
            "delta": "word ",
            "obfuscation": "x" * 11,
        },
        {"type": "response.output_audio.delta", **PLACE, "delta": DELTA},
    ]
    ended: list[dict[str, Any]] = [
        {"type": "response.output_audio.done", **PLACE},
        {"type": "response.output_audio_transcript.done", **PLACE, "transcript": transcript},
        {"type": "conversation.item.done", "previous_item_id": None, "item": full},
        {"type": "response.output_item.done", "response_id": "resp_1", "output_index": 0, "item": full},
        {"type": "response.done", "response": {**response, "status": "completed", "output": [full]}},
    ]
    return [
        json.dumps({"event_id": f"event_{n}", **e}) for n, e in enumerate([*began, *pair * pairs, *ended])
    ]


async def serve(pairs: int) -> None:
    """Answer every ``response.create``: the first one briefly, the second in full."""
    answers = [events(WARM_UP), events(pairs)]

    async def realtime(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("realtime",), compress=False)
        await socket.prepare(request)
        session = {"type": "realtime", "object": "realtime.session", "id": "sess_1", "model": "gpt-realtime"}
        await socket.send_json({"type": "session.created", "event_id": "event_0", "session": session})
        asked = 0
        async for message in socket:
            if json.loads(message.data)["type"] == "response.create":
                for event in answers[min(asked, 1)]:
                    await socket.send_str(event)
                asked += 1
        return socket

    app = web.Application()
    app.router.add_get("/v1/realtime", realtime)
    runner = web.AppRunner(app, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    address = runner.addresses[0]
    print(f"http://{address[0]}:{address[1]}/v1", flush=True)
    await asyncio.Event().wait()


Answer = Callable[[], Awaitable[None]]
Measure = Callable[[Answer], Awaitable[None]]


async def vivavoce(url: str, measure: Measure) -> None:
    """Read with `vivavoce.RealtimeClient`."""
    from vivavoce import RealtimeClient  # noqa: PLC0415 - a process loads the client that it measures

    async with RealtimeClient(url, api_key="none", model="gpt-realtime") as client:

        async def answer() -> None:
            await client.create_response()
            async for event in client:
                if event.type == "response.done":
                    return

        await measure(answer)


async def openai(url: str, measure: Measure) -> None:
    """Read with the official package's connection, which keeps nothing and folds nothing."""
    from openai import AsyncOpenAI  # noqa: PLC0415

    client = AsyncOpenAI(base_url=url, api_key="none")
    async with client.realtime.connect(model="gpt-realtime") as connection:

        async def answer() -> None:
            await connection.response.create()
            async for event in connection:
                if event.type == "response.done":
                    return

        await measure(answer)


async def openai_agents(url: str, measure: Measure) -> None:
    """Read with the session of OpenAI's agents."""
    from agents import set_tracing_disabled  # noqa: PLC0415
    from agents.realtime import RealtimeAgent, RealtimeRunner  # noqa: PLC0415
    from agents.realtime.openai_realtime import OpenAIRealtimeWebSocketModel  # noqa: PLC0415

    set_tracing_disabled(disabled=True)
    runner = RealtimeRunner(RealtimeAgent(name="Agent"), model=OpenAIRealtimeWebSocketModel())
    address = f"{url.replace('http', 'ws', 1)}/realtime?model=gpt-realtime"
    async with await runner.run(model_config={"url": address, "api_key": "none"}) as session:

        async def answer() -> None:
            await session.send_message("Hello")
            async for event in session:
                if event.type == "raw_model_event" and event.data.type == "turn_ended":
                    return

        await measure(answer)


class Ready:
    """A transport on which everything has arrived already."""

    def __init__(self, arrived: list[bytes]) -> None:
        self._arrived = iter(enumerate(arrived, 1))

    async def send(self, data: bytes | str) -> None:
        """Send nothing."""

    async def receive(self) -> bytes:
        """Return the next event, and let others work now and then; after the last, wait for ever."""
        for number, event in self._arrived:
            if not number % 8:
                await asyncio.sleep(0)
            return event
        return bytes(await asyncio.get_running_loop().create_future())

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Do nothing."""


async def vivavoce_alone(arrived: list[bytes]) -> None:
    """Take events with `vivavoce.RealtimeClient`."""
    from vivavoce import RealtimeClient  # noqa: PLC0415

    async with RealtimeClient(transport=lambda: Ready(arrived)) as client:
        async for event in client:
            if event.type == "response.done":
                return


async def openai_alone(arrived: list[bytes]) -> None:
    """Take events as the official package's connection does."""
    from openai.resources.realtime.realtime import AsyncRealtimeConnection  # noqa: PLC0415

    connection = AsyncRealtimeConnection(None)  # type: ignore[arg-type]
    for event in arrived:
        connection.parse_event(event)


ALONE = {"vivavoce": vivavoce_alone, "openai": openai_alone}

CLIENTS = {"vivavoce": vivavoce, "openai": openai, "openai-agents": openai_agents}


async def read(name: str, url: str, pairs: int, *, trace: bool) -> None:
    """Read both answers with a client, and print what the second one cost."""

    async def measure(answer: Answer) -> None:
        await answer()
        gc.collect()
        if trace:
            tracemalloc.start()
        before = time.process_time()
        await answer()
        spent = time.process_time() - before
        gc.collect()
        kept = tracemalloc.get_traced_memory()[0] if trace else 0
        print(json.dumps({"us": spent / (2 * pairs) * 1e6, "kept": kept}), flush=True)

    await CLIENTS[name](url, measure)


async def alone(name: str, pairs: int) -> None:
    """Take an answer's audio deltas with a client, and print what each cost.

    They are one and the same, so that it is in the processor's cache, as what a socket has just brought is.
    """
    every = [event.encode() for event in events(1)]
    audio = [event for event in every if b'"response.output_audio.delta"' in event] * pairs
    await ALONE[name]([*every[:4], *audio[:WARM_UP], every[-1]])
    before = time.process_time()
    await ALONE[name]([*every[:4], *audio, every[-1]])
    print(json.dumps({"us": (time.process_time() - before) / pairs * 1e6}), flush=True)


def run_alone(name: str, pairs: int) -> float | None:
    """Measure a client without a WebSocket in a process of its own; None for one that cannot be."""
    if name not in ALONE:
        return None
    command = [sys.executable, __file__, "--alone", name, "--pairs", str(pairs)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # ours
    return float(json.loads(done.stdout)["us"])


def run(name: str, url: str, pairs: int, *, trace: bool) -> float:
    """Measure a client in a process of its own: microseconds for an event, or bytes kept."""
    command = [sys.executable, __file__, "--read", name, "--url", url, "--pairs", str(pairs)]
    done = subprocess.run(  # ours
        [*command, "--trace"] if trace else command, check=True, capture_output=True, text=True
    )
    result = json.loads(done.stdout)
    return float(result["kept"] if trace else result["us"])


def compare(minutes: float, rounds: int) -> None:
    """Measure all clients in turn, and print a table."""
    pairs = round(minutes * 60 / 0.2)
    command = [sys.executable, __file__, "--serve", "--pairs", str(pairs)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            url = server.stdout.readline().strip() if server.stdout else ""
            spent: dict[str, list[float]] = {name: [] for name in CLIENTS}
            own: dict[str, list[float]] = {name: [] for name in CLIENTS}
            for _ in range(rounds):
                for name in CLIENTS:
                    spent[name].append(run(name, url, pairs, trace=False))
                    if (took := run_alone(name, pairs)) is not None:
                        own[name].append(took)
            kept = {name: run(name, url, pairs, trace=True) for name in CLIENTS}
        finally:
            server.terminate()
    ours = statistics.median(spent["vivavoce"])
    print(f"{minutes:g} minutes of speech, {2 * pairs} deltas, median of {rounds} rounds")
    print(f"{'client':16}{'us per delta':>14}{'ratio':>8}{'kept':>12}{'us per audio delta alone':>27}")
    for name, figures in spent.items():
        middle = statistics.median(figures)
        without = f"{statistics.median(own[name]):.1f}" if own[name] else "-"
        print(f"{name:16}{middle:14.1f}{middle / ours:8.1f}{kept[name] / 1e6:9.2f} MB{without:>27}")


def main() -> None:
    """Compare, or be one of the processes that are compared."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    for hidden in ("--read", "--url", "--alone"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    parser.add_argument("--pairs", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--trace", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(options.pairs))
    elif options.alone:
        asyncio.run(alone(options.alone, options.pairs))
    elif options.read:
        asyncio.run(read(options.read, options.url, options.pairs, trace=options.trace))
    else:
        compare(options.minutes, options.rounds)


if __name__ == "__main__":
    main()
