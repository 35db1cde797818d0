"""In what the engine's session differs on purpose from the recorded ones. A page of the reference is made of it."""

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from tests.conformance.differences import ABSENT, ORDER, OURS_ONLY, RECORDED_ONLY, Difference
from vivavoce.engine.session.config import DEFAULT_INSTRUCTIONS


@dataclass(frozen=True)
class Deliberate:
    """A difference that is meant to be: in which events, where, and why; `fits` looks at the two values."""

    events: str
    where: str
    why: str
    fits: Callable[[Any, Any], bool] = lambda recorded, ours: recorded is ours is None

    def covers(self, found: Difference) -> bool:
        return (
            fnmatchcase(found.event, self.events)
            and fnmatchcase(found.where, self.where)
            and self.fits(found.recorded, found.ours)
        )


DELIBERATE = [
    # What the model's name decides at OpenAI, and not here.
    Deliberate(
        "session.*",
        "session.instructions",
        "Instructions that a client does not give are the server's own.",
        lambda recorded, ours: recorded.startswith("Your knowledge cutoff") and ours == DEFAULT_INSTRUCTIONS,
    ),
    Deliberate(
        "session.*",
        "session.audio.input.turn_detection.silence_duration_ms",
        "gpt-realtime-2.1 waits for 500 ms; the engine waits as for gpt-realtime, whatever model is named.",
        lambda recorded, ours: (recorded, ours) == (500, 200),
    ),
    Deliberate(
        "*",
        "*audio.output.voice",
        "gpt-realtime-2.1 speaks as marin; the engine's default is alloy, whatever model is named.",
        lambda recorded, ours: (recorded, ours) == ("marin", "alloy"),
    ),
    Deliberate(
        "*",
        "*.phase",
        "Models that reason tell commentary from the final answer; the engine's do not reason.",
        lambda recorded, ours: recorded in ("commentary", "final_answer") and ours == ABSENT,
    ),
    Deliberate(
        "response.done",
        "response.usage.output_token_details.reasoning_tokens",
        "Only models that reason have tokens of reasoning.",
        lambda recorded, ours: (recorded, ours) == ("(number)", ABSENT),
    ),
    # What is told otherwise.
    Deliberate(
        "conversation.item.done",
        "previous_item_id",
        "OpenAI tells null when the item before is the first of the conversation; the engine tells its id.",
        lambda recorded, ours: recorded is None and ours.startswith("item_"),
    ),
    Deliberate(
        "conversation.item.input_audio_transcription.delta",
        "delta",
        "OpenAI's first delta begins with a space, which the whole transcript does not have.",
        lambda recorded, ours: recorded == f" {ours}",
    ),
    Deliberate(
        "rate_limits.updated",
        OURS_ONLY,
        "OpenAI sends it after some responses, the engine after each.",
    ),
    # When it is told.
    Deliberate(
        "conversation.item.input_audio_transcription.*",
        ORDER,
        "Transcripts come when they come: OpenAI's while the model, which hears for itself, already answers; the "
        "engine's before the answer, which is made of them.",
    ),
    # What is no matter of a WebSocket of one's own.
    Deliberate(
        "session.created",
        OURS_ONLY,
        "A connection that attaches to a call is not told of the session; the engine's is the session's own.",
    ),
    Deliberate(
        "response.output_audio.delta",
        OURS_ONLY,
        "In a call the audio comes over WebRTC.",
    ),
    *(
        Deliberate(event, RECORDED_ONLY, "Only a server that plays the audio knows, and that is over WebRTC.")
        for event in ("output_audio_buffer.started", "output_audio_buffer.stopped")
    ),
]
