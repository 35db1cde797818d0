"""The beta of the protocol, which OpenAI ended on 2026-05-12 and its clients did not.

`Beta` is one connection of such a client. What it sends becomes today's events, and what the endpoint says becomes
the beta's: other names, flat sessions, and nothing that the beta does not know. Audio passes as it is.
"""

from typing import Any

from msgspec import UNSET

from vivavoce.dialects.beta_items import item_to_beta, item_to_ga, response_to_beta
from vivavoce.dialects.beta_session import (
    DEFAULT_TEMPERATURE,
    checked_temperature,
    error_to_beta,
    response_to_ga,
    session_to_beta,
    session_to_ga,
)
from vivavoce.errors import ProtocolError
from vivavoce.protocol.codec import Frame
from vivavoce.protocol.session import SessionType

__all__ = ["CHANGED", "RENAMED", "SAME", "Beta"]

Json = dict[str, Any]

RENAMED = {
    "response.output_text.delta": "response.text.delta",
    "response.output_text.done": "response.text.done",
    "response.output_audio.delta": "response.audio.delta",
    "response.output_audio.done": "response.audio.done",
    "response.output_audio_transcript.delta": "response.audio_transcript.delta",
    "response.output_audio_transcript.done": "response.audio_transcript.done",
}
"""Server events that are the same but for their type, today's and the beta's."""

SAME = frozenset(
    {
        "conversation.created",
        "conversation.item.deleted",
        "conversation.item.input_audio_transcription.completed",
        "conversation.item.input_audio_transcription.delta",
        "conversation.item.input_audio_transcription.failed",
        "conversation.item.truncated",
        "input_audio_buffer.cleared",
        "input_audio_buffer.committed",
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "output_audio_buffer.cleared",
        "output_audio_buffer.started",
        "output_audio_buffer.stopped",
        "rate_limits.updated",
        "response.content_part.added",
        "response.content_part.done",
        "response.function_call_arguments.delta",
    }
)
"""Server events that are the same in both."""

CHANGED = {
    "conversation.item.added": "conversation.item.created",
    "conversation.item.created": "conversation.item.created",
    "conversation.item.retrieved": "conversation.item.retrieved",
    "error": "error",
    "response.created": "response.created",
    "response.done": "response.done",
    "response.function_call_arguments.done": "response.function_call_arguments.done",
    "response.output_item.added": "response.output_item.added",
    "response.output_item.done": "response.output_item.done",
    "session.created": "session.created",
    "session.updated": "session.updated",
}
"""Server events of which the content changes, today's type and the beta's. Those of a transcription session are called
``transcription_session.created`` and ``transcription_session.updated``. All that is named nowhere here is not sent."""


class Beta:
    """One connection of a client that speaks the beta."""

    def __init__(self, kind: SessionType = "realtime") -> None:
        self._kind: SessionType = kind
        """What the session is, which the beta says in the names of its events and not in the session."""
        self._temperature = DEFAULT_TEMPERATURE

    def hear(self, frame: Frame) -> Frame:
        """Return a client's event as it is said today; raises `ProtocolError` for what the beta refused."""
        match frame.type:
            case "session.update" | "transcription_session.update":
                change = self._session_update
            case "response.create":
                change = self._response_create
            case "conversation.item.create":
                change = self._item_create
            case _:
                return frame
        event = frame.fields()
        try:
            return frame.replace(**change(event))
        except ProtocolError as error:
            event_id = event.get("event_id")
            error.event_id = event_id if isinstance(event_id, str) else None
            raise

    def say(self, frame: Frame) -> Frame | None:
        """Return a server's event as the beta says it, or None where the beta has none."""
        kind = frame.type
        if kind in SAME:
            return frame
        if (name := RENAMED.get(kind)) is not None:
            return frame.replace(type=name)
        if (name := CHANGED.get(kind)) is None:
            return None
        match frame.fields():
            case {"session": dict(session)}:
                return self._say_session(frame, name, session)
            case {"response": dict(response)}:
                return frame.replace(response=response_to_beta(response, self._temperature))
            case {"item": dict(item)}:
                told = item_to_beta(item)
                return None if told is None else frame.replace(type=name, item=told)
            case {"error": dict(error)}:
                return frame.replace(error=error_to_beta(error))
        return frame.replace(type=name, name=UNSET)

    def same(self, kind: str) -> bool:
        """Tell whether events of this type pass as they are, among them all audio that is heard."""
        return kind in SAME or kind == "input_audio_buffer.append"

    def _session_update(self, event: Json) -> Json:
        asked = event.get("session")
        kind = "transcription" if event["type"].startswith("transcription_") else self._kind
        if isinstance(asked, dict) and (temperature := checked_temperature(asked, "session")) is not None:
            self._temperature = temperature
        return {
            "type": "session.update",
            "session": session_to_ga(asked, kind) if "session" in event else UNSET,
        }

    def _response_create(self, event: Json) -> Json:
        asked = event.get("response", UNSET)
        if not isinstance(asked, dict):
            return {}
        checked_temperature(asked, "response")
        response = response_to_ga(asked)
        if isinstance(response.get("input"), list):
            response["input"] = [item_to_ga(item) for item in response["input"]]
        return {"response": response}

    def _item_create(self, event: Json) -> Json:
        return {"item": item_to_ga(event["item"])} if "item" in event else {}

    def _say_session(self, frame: Frame, name: str, session: Json) -> Frame:
        self._kind = "transcription" if session.get("type") == "transcription" else "realtime"
        prefix = "transcription_" if self._kind == "transcription" else ""
        return frame.replace(type=prefix + name, session=session_to_beta(session, self._temperature))
