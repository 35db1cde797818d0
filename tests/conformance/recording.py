"""A recorded session as a script: what its client sent, and what was heard, written and spoken at its server."""

import json
import math
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.engine.session.driver import STEP_MS
from vivavoce.engine.models.protocols import Finished

WIRE = Path(__file__).parents[1] / "wire"

APPEND_MS = 100
"""What each recorded append held. The recordings keep 33 bytes of it; that this was its length follows from
``audio_end_ms`` of every turn and the number of appends before it."""


@dataclass(frozen=True)
class Turn:
    """What a user said, and in which of the voice detector's steps."""

    voiced: range
    transcript: str


@dataclass
class Answer:
    """What a language model wrote: pieces of text (str), the name of a function, pieces of its arguments."""

    pieces: list[tuple[str, str]] = field(default_factory=list)
    finished: Finished | None = None


class Recording:
    """One file of `tests/wire`."""

    def __init__(self, path: Path) -> None:
        frames = [json.loads(line) for line in path.read_text().splitlines()]
        self.name = path.stem.split("__")[1].removeprefix("test_")
        self.frames: list[tuple[str, dict[str, Any]]] = [(frame["dir"], frame["event"]) for frame in frames]
        self.server = [event for direction, event in self.frames if direction == "S"]

    @property
    def session(self) -> dict[str, Any]:
        """The session as the server told it first."""
        return next(event["session"] for event in self.server if "session" in event)

    @cached_property
    def turns(self) -> list[Turn]:
        """What the user said, turn by turn."""
        transcripts = {
            event["item_id"]: event["transcript"]
            for event in self.server
            if event["type"] == "conversation.item.input_audio_transcription.completed"
        }
        turns, detection, first = [], {}, 0
        for event in self.server:
            match event["type"]:
                case "session.updated":
                    detection = event["session"]["audio"]["input"]["turn_detection"]
                case "input_audio_buffer.speech_started":
                    first = (event["audio_start_ms"] + detection["prefix_padding_ms"]) // STEP_MS
                case "input_audio_buffer.speech_stopped":
                    silence = math.ceil(detection["silence_duration_ms"] / STEP_MS)
                    last = event["audio_end_ms"] // STEP_MS - silence
                    turns.append(Turn(range(first, last), transcripts[event["item_id"]]))
        return turns

    @cached_property
    def answers(self) -> list[Answer]:
        """What the language model wrote, response by response."""
        answers: dict[str, Answer] = {}
        for event in self.server:
            match event:
                case {"type": "response.created", "response": {"id": response}}:
                    answers[response] = Answer()
                case {"type": "response.output_item.added", "item": {"type": "function_call", "name": name}}:
                    answers[event["response_id"]].pieces.append(("call", name))
                case {"type": "response.function_call_arguments.delta", "delta": delta}:
                    answers[event["response_id"]].pieces.append(("arguments", delta))
                case {"type": "response.output_text.delta" | "response.output_audio_transcript.delta"}:
                    answers[event["response_id"]].pieces.append(("text", event["delta"]))
                case {"type": "response.done", "response": {"id": response, "usage": usage}}:
                    read = usage["input_token_details"]
                    answers[response].finished = Finished(
                        "stop", read["text_tokens"], usage["output_tokens"], read["cached_tokens"]
                    )
        return list(answers.values())


RECORDINGS = [Recording(path) for path in sorted(WIRE.glob("*.jsonl"))]
