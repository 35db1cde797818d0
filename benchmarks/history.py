"""What a history costs: processor time for each event of a session, and for each turn until it is on the disk.

    python benchmarks/history.py [--turns 300]

Events pass a `Passage` with and without the stage of the history; what is told is the difference. A turn is ten
seconds of a microphone, a transcript and an answer of five seconds, 40 ms of audio to an event of 2.6 kB, as
`benchmarks/relay.py` has them: 396 events. The file is SQLite, written by the one task that a gateway has for it.
"""

import argparse
import asyncio
import base64
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from vivavoce.gateway.history.changes import Change
from vivavoce.gateway.history.history import History
from vivavoce.gateway.history.settings import HistorySettings
from vivavoce.gateway.history.stage import HistoryStage
from vivavoce.gateway.opening import ANYONE, Opening
from vivavoce.gateway.passage import End, Passage, Stage
from vivavoce.protocol.session_params import RealtimeSessionParams

CHUNK = base64.b64encode(bytes(1920)).decode()
"""40 ms."""
ROUNDS = 5


def event(type_: str, **fields: Any) -> bytes:
    """Write an event."""
    return json.dumps({"event_id": "event_1", "type": type_, **fields}).encode()


def message(item_id: str, role: str, *content: dict[str, Any]) -> dict[str, Any]:
    """Make an item."""
    return {"type": "message", "id": item_id, "role": role, "status": "completed", "content": list(content)}


APPEND = event("input_audio_buffer.append", audio=CHUNK)
COMMON = {"response_id": "resp_1", "output_index": 0}


def delta(item_id: str, kind: str, text: str) -> bytes:
    """Write a delta of an answer."""
    return event(f"response.{kind}.delta", item_id=item_id, content_index=0, delta=text, **COMMON)


def turn(number: int) -> list[tuple[str, bytes]]:
    """Write a turn, each event with the side that it comes from."""
    asked, answered = f"item_{2 * number}", f"item_{2 * number + 1}"
    heard = {"type": "duration", "seconds": 10}
    spoken = {"type": "output_audio", "transcript": "word " * 15}
    transcript = "conversation.item.input_audio_transcription.completed"
    response = {"object": "realtime.response", "id": f"resp_{number}", "status": "completed"}
    part = {"item_id": answered, "content_index": 0, **COMMON}
    down = [
        event("input_audio_buffer.speech_started", audio_start_ms=number * 10_000, item_id=asked),
        event("input_audio_buffer.speech_stopped", audio_end_ms=number * 10_000 + 9000, item_id=asked),
        event("input_audio_buffer.committed", item_id=asked),
        event("conversation.item.added", item=message(asked, "user", {"type": "input_audio"})),
        event("conversation.item.done", item=message(asked, "user", {"type": "input_audio"})),
        event("response.created", response={**response, "status": "in_progress"}),
        event("response.output_item.added", item=message(answered, "assistant"), **COMMON),
        event("conversation.item.added", item=message(answered, "assistant")),
        event(transcript, item_id=asked, content_index=0, transcript="word " * 20, usage=heard),
        *(delta(answered, "output_audio_transcript", "word ") for _ in range(15)),
        *(delta(answered, "output_audio", CHUNK) for _ in range(117)),
        event("response.output_audio_transcript.done", transcript="word " * 15, **part),
        event("conversation.item.done", item=message(answered, "assistant", spoken)),
        event("response.output_item.done", item=message(answered, "assistant", spoken), **COMMON),
        event("response.done", response={**response, "usage": {"total_tokens": 9, "input_tokens": 9}}),
        event("rate_limits.updated", rate_limits=[]),
    ]
    return [("up", APPEND)] * 250 + [("down", data) for data in down]


def opening(session_id: str = "sess_1") -> Opening:
    """Make an opening."""
    return Opening(session_id, ANYONE, "gpt-realtime-2", RealtimeSessionParams(), "ga", time.time())


def play(stages: list[Stage], events: list[tuple[str, bytes]]) -> float:
    """Let events pass, 40 ms apart; return the processor time of each in µs."""
    passage = Passage(stages)
    now = 0.0
    begin = time.process_time()
    for side, data in events:
        now += 0.04
        if side == "up":
            passage.hear(data, now)
        else:
            passage.receive(data, now)
        if now % 1 < 0.04:
            passage.tick(now)
    return (time.process_time() - begin) / len(events) * 1e6


def added(events: list[tuple[str, bytes]]) -> tuple[float, float]:
    """Return what an event costs without a history, and what a history adds, in µs."""

    def forget(_: Change) -> None:
        pass

    without = min(play([], events) for _ in range(ROUNDS))
    with_it = min(play([HistoryStage(opening(), forget)], events) for _ in range(ROUNDS))
    return without, with_it - without


async def written(turns: int) -> tuple[float, float]:
    """Return the processor time of a turn until it is in a file, in µs, and how many a second can be written."""
    with tempfile.TemporaryDirectory() as folder:
        settings: dict[str, Any] = {"history": "text", "history_folder": Path(folder)}
        history = History(HistorySettings(**settings))
        await history.start()
        await history.writer.ready.wait()
        passages = []
        for number in range(turns):
            stage = HistoryStage(opening(f"sess_{number}"), history.writer, process=history.process)
            passage = Passage([stage])
            for side, data in turn(0):
                if side == "down":
                    passage.receive(data, 0.0)
            passages.append(passage)
        begin, clock = time.process_time(), time.perf_counter()
        for passage in passages:
            passage.ended(End(1000), 1.0)
        await history.writer.flush()
        spent, took = time.process_time() - begin, time.perf_counter() - clock
        await history.stop()
    return spent / turns * 1e6, turns / took


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--turns", type=int, default=300, help="turns that are written")
    turns = parser.parse_args().turns
    audio = [("down", delta("item_1", "output_audio", CHUNK))] * 20_000
    words = [("down", delta("item_1", "output_audio_transcript", "word "))] * 4000
    kinds = {
        "input_audio_buffer.append": [("up", APPEND)] * 20_000,
        "response.output_audio.delta": audio,
        "response.output_audio_transcript.delta": words,
        "all of a turn, each event": [one for number in range(40) for one in turn(number)],
    }
    print(f"{'µs of processor for each event':40}{'without':>9}{'history':>9}")
    for name, events in kinds.items():
        without, more = added(events)
        print(f"{name:40}{without:9.2f}{more:+9.2f}")
    results = [asyncio.run(written(turns)) for _ in range(3)]
    print(
        f"a turn, until it is in the file: {statistics.median(cost for cost, _ in results):.0f} µs of processor,"
    )
    print(f"{statistics.median(rate for _, rate in results):.0f} turns of as many sessions a second")


if __name__ == "__main__":
    main()
