"""The messages of the voice API's clients. What a message has beyond these fields is not looked at."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct

from vivavoce.protocol.codec import decode_with

__all__ = [
    "AudioInput",
    "Cancel",
    "Changes",
    "Commit",
    "ItemInput",
    "Message",
    "Ping",
    "SessionChange",
    "Stamp",
    "TextInput",
    "Truncate",
    "decode_message",
]

Format = Literal["pcm16", "g711_ulaw", "g711_alaw"]


class Changes(Struct, kw_only=True):
    """What is to change in the session; what is absent stays as it is."""

    voice: str | None = None
    language: str | None = None
    """ISO 639-1, such as ``en``: what the user speaks."""
    instructions: str | None = None
    temperature: float | None = None
    """Told again, and nothing more: no endpoint has one today."""
    max_response_output_tokens: int | Literal["inf"] | None = None
    input_audio_format: Format | None = None
    output_audio_format: Format | None = None
    turn_detection: Literal["server_vad", "semantic_vad", "none"] | None = None
    audio_frames: Literal["base64", "binary"] | None = None
    """Whether answers are spoken in binary frames, and audio may be sent in them."""


class SessionChange(Struct, kw_only=True, tag_field="type", tag="session.update"):
    """Change the session; answered by a message of the same type."""

    session_update: Changes


class AudioInput(Struct, kw_only=True, tag_field="type", tag="input_audio_buffer"):
    """Some of what the user says."""

    audio: str
    """Base64 of audio in the session's input format."""


class TextInput(Struct, kw_only=True, tag_field="type", tag="input_text"):
    """What the user writes, all of it."""

    text: str


class ItemInput(Struct, kw_only=True, tag_field="type", tag="conversation.item.input"):
    """Say something. Text is answered at once, audio when the user falls silent."""

    conversation_item_input: AudioInput | TextInput


class Commit(Struct, kw_only=True, tag_field="type", tag="input_audio_buffer.commit"):
    """Answer what was said so far, without waiting for silence."""


class Cancel(Struct, kw_only=True, tag_field="type", tag="response.cancel"):
    """Stop the answer."""


class Truncate(Struct, kw_only=True, tag_field="type", tag="conversation.item.truncate"):
    """Let the assistant know how much of its speech was heard."""

    item_id: str
    audio_end_ms: Annotated[int, Meta(ge=0)]


class Stamp(Struct, kw_only=True):
    """A time."""

    timestamp: float | None = None
    """In the client's seconds, from whatever it counts them."""


class Ping(Struct, kw_only=True, tag_field="type", tag="ping"):
    """Ask whether anybody is there; answered by ``pong``."""

    ping: Stamp | msgspec.UnsetType = UNSET


Message = SessionChange | ItemInput | Commit | Cancel | Truncate | Ping

_MESSAGE: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)


def decode_message(data: bytes) -> Message:
    """Read a message; raises `vivavoce.errors.ProtocolError` with what is wrong about it."""
    return decode_with(_MESSAGE, data)
