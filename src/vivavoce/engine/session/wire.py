"""From what the engine keeps to what the wire carries, and back. Pure."""

import base64
import binascii
from typing import Literal, TypedDict

from msgspec import UNSET, UnsetType

from vivavoce.audio import formats
from vivavoce.engine.models.protocols import Finished, Transcription
from vivavoce.engine.session.conversation import WIRE_RATE, Entry, Part
from vivavoce.errors import ProtocolError
from vivavoce.protocol import items, responses, usage
from vivavoce.protocol.errors import invalid_audio, invalid_value
from vivavoce.protocol.session import AudioFormat, AudioPcm, SessionAudio

__all__ = [
    "Place",
    "audio_bytes",
    "base64_of",
    "content_part",
    "entry",
    "item",
    "status_details",
    "token_usage",
    "transcription_usage",
]

OUTPUT_TOKEN_MS = 50
"""One output audio token stands for so much audio, at OpenAI's count; ours has no tokens, so it is counted alike."""

INPUT_TOKEN_MS = 100
"""And one input audio token for so much."""

COUNTED_IN_SECONDS = ("whisper-1", "gpt-realtime-whisper")
"""Transcription models whose usage is a duration [recorded sessions]; that of others is tokens."""


class Place(TypedDict):
    """Where in a response an event belongs."""

    response_id: str
    item_id: str
    output_index: int
    content_index: int


def audio_bytes(data: str, audio_format: AudioFormat, param: str = "audio") -> bytes:
    """Decode base64 of audio; raises `ProtocolError` for anything else, and for half a sample."""
    try:
        raw = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise invalid_audio(param, "expected base64, but got something else") from None
    if isinstance(audio_format, AudioPcm) and len(raw) % 2:
        raise invalid_audio(param, f"expected two bytes for each sample, but got {len(raw)} bytes")
    return raw


def base64_of(data: bytes) -> str:
    """Encode bytes as base64."""
    return base64.b64encode(data).decode("ascii")


def entry(given: items.Item, item_id: str, audio: SessionAudio, param: str = "item") -> Entry:
    """Make an entry of an item that a client created; raises `ProtocolError` for what is not served.

    What it holds of the user's voice is in the session's input format, of the assistant's in its output format.
    """
    match given:
        case items.MessageItem():
            return _message(given, item_id, audio, param)
        case items.FunctionCall():
            return Entry(
                item_id,
                "function_call",
                name=given.name,
                call_id=given.call_id,
                arguments=given.arguments,
            )
        case items.FunctionCallOutput():
            return Entry(item_id, "function_call_output", call_id=given.call_id, output=given.output)
        case _:
            raise invalid_value(
                f"{param}.type", given.type, ("message", "function_call", "function_call_output")
            )


def _message(given: items.MessageItem, item_id: str, audio: SessionAudio, where: str) -> Entry:
    allowed = items.CONTENT_OF_ROLE[given.role]
    parts = []
    for index, content in enumerate(given.content):
        param = f"{where}.content[{index}]"
        if content.type not in allowed:
            raise invalid_value(f"{param}.type", content.type, allowed)
        parts.append(_part(content, audio, param))
    return Entry(item_id, "message", role=given.role, parts=parts)


def _part(content: items.Content, session: SessionAudio, param: str) -> Part:
    match content:
        case items.InputText(text=text):
            return Part("input_text", text)
        case items.OutputText(text=text):
            return Part("output_text", text)
        case items.InputImage():
            message = "This endpoint's model does not see images; send a description as input_text instead."
            raise ProtocolError(message, code="invalid_value", param=f"{param}.type")
        case items.InputAudio(audio=audio, transcript=transcript):
            part = Part("input_audio", transcript if isinstance(transcript, str) else None)
        case items.OutputAudio(audio=audio, transcript=transcript):
            part = Part("output_audio", transcript if isinstance(transcript, str) else "")
    if isinstance(audio, str):
        spoken = _format(part, session)
        part.add_audio(formats.decode(audio_bytes(audio, spoken, f"{param}.audio"), spoken.type))
    return part


def _format(part: Part, session: SessionAudio) -> AudioFormat:
    return session.output.format if part.kind == "output_audio" else session.input.format


def item(kept: Entry, audio: SessionAudio | None = None) -> items.Item:
    """Make the wire's item of an entry; its audio goes along, in the session's formats, only where these are given."""
    match kept.kind:
        case "function_call":
            return items.FunctionCall(
                id=kept.id,
                status=kept.status,
                name=kept.name,
                call_id=kept.call_id,
                arguments=kept.arguments,
            )
        case "function_call_output":
            return items.FunctionCallOutput(id=kept.id, call_id=kept.call_id, output=kept.output)
        case "message":
            content = [_content(part, audio) for part in kept.parts]
            return items.MessageItem(
                id=kept.id, status=kept.status, role=kept.role or "assistant", content=content
            )


def _content(part: Part, session: SessionAudio | None) -> items.Content:
    text = part.text or ""
    audio: str | UnsetType = UNSET
    if session is not None and part.audio:
        audio = base64_of(formats.encode(part.pcm(), _format(part, session).type))
    match part.kind:
        case "input_text":
            return items.InputText(text=text)
        case "output_text":
            return items.OutputText(text=text)
        case "input_audio":
            return items.InputAudio(audio=audio, transcript=part.text)
        case "output_audio":
            return items.OutputAudio(audio=audio, transcript=text)


def content_part(part: Part) -> items.Part:
    """Make the part that ``response.content_part.*`` carry."""
    text = part.text or ""
    return items.AudioPart(transcript=text) if part.kind == "output_audio" else items.TextPart(text=text)


def status_details(
    status: Literal["cancelled", "incomplete", "failed"],
    reason: responses.StatusReason | None,
    failure: str | None,
) -> responses.ResponseStatusDetails:
    """Say why a response did not complete."""
    if status == "failed":
        error = responses.ResponseError(type="server_error", code="model_error", message=failure)
        return responses.ResponseStatusDetails(type=status, error=error)
    return responses.ResponseStatusDetails(type=status, reason=reason)


def token_usage(finished: Finished | None, *, heard: int, written: int, spoken: int) -> usage.Usage:
    """Count a response: the language model's own tokens, and speech by its length.

    ``heard`` and ``spoken`` are samples; ``written`` counts the pieces of a generation that was cut off.
    """
    read, cached = (finished.input_tokens, finished.cached_tokens) if finished else (0, 0)
    written = finished.output_tokens if finished else written
    listened = heard * 1000 // (WIRE_RATE * INPUT_TOKEN_MS)
    voiced = spoken * 1000 // (WIRE_RATE * OUTPUT_TOKEN_MS)
    return usage.Usage(
        total_tokens=read + listened + written + voiced,
        input_tokens=read + listened,
        output_tokens=written + voiced,
        input_token_details=usage.InputTokenDetails(
            text_tokens=read,
            audio_tokens=listened,
            cached_tokens=cached,
            cached_tokens_details=usage.CachedTokensDetails(text_tokens=cached),
        ),
        output_token_details=usage.OutputTokenDetails(text_tokens=written, audio_tokens=voiced),
    )


def transcription_usage(model: str, heard: Transcription, length: int) -> usage.TranscriptionUsage:
    """Count a transcription of so many samples as the model that the client named is counted."""
    if model in COUNTED_IN_SECONDS:
        return usage.TranscriptionDuration(seconds=round(length / WIRE_RATE, 2))
    listened = length * 1000 // (WIRE_RATE * INPUT_TOKEN_MS)
    return usage.TranscriptionTokens(
        total_tokens=listened + heard.tokens,
        input_tokens=listened,
        input_token_details=usage.TranscriptionTokenDetails(text_tokens=0, audio_tokens=listened),
        output_tokens=heard.tokens,
    )
