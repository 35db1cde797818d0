"""The eleven events that a client sends. Unknown fields are refused."""

from typing import Annotated

from msgspec import UNSET, Meta

from ._struct import Maybe, Tagged
from .items import Item
from .responses import ResponseCreateParams
from .session_params import Milliseconds, SessionParams

__all__ = [
    "ClientEvent",
    "ConversationItemCreate",
    "ConversationItemDelete",
    "ConversationItemRetrieve",
    "ConversationItemTruncate",
    "InputAudioBufferAppend",
    "InputAudioBufferClear",
    "InputAudioBufferCommit",
    "OutputAudioBufferClear",
    "ResponseCancel",
    "ResponseCreate",
    "SessionUpdate",
]


class _Client(Tagged, kw_only=True, forbid_unknown_fields=True):
    """What every client event may carry."""

    event_id: Maybe[str] = UNSET
    """The client's own name for this event; an ``error`` that it causes repeats it."""


class SessionUpdate(_Client, kw_only=True, tag="session.update"):
    """Change the session's configuration; answered by ``session.updated``."""

    session: SessionParams


class InputAudioBufferAppend(_Client, kw_only=True, tag="input_audio_buffer.append"):
    """Add audio to the input buffer. Not answered."""

    audio: str
    """Base64 of audio in the session's input format, at most 15 MiB."""


class InputAudioBufferCommit(_Client, kw_only=True, tag="input_audio_buffer.commit"):
    """Make a user message of the buffer, which must hold 100 ms or more."""


class InputAudioBufferClear(_Client, kw_only=True, tag="input_audio_buffer.clear"):
    """Forget what is in the buffer."""


class OutputAudioBufferClear(_Client, kw_only=True, tag="output_audio_buffer.clear"):
    """Stop the audio that is playing (WebRTC and SIP only)."""


class ConversationItemCreate(_Client, kw_only=True, tag="conversation.item.create"):
    """Add an item to the conversation."""

    previous_item_id: Maybe[str] = UNSET
    """The item to put it behind; ``root``: first; absent, null or empty: last."""
    item: Item


class ConversationItemRetrieve(_Client, kw_only=True, tag="conversation.item.retrieve"):
    """Ask for an item, audio included."""

    item_id: str


class ConversationItemTruncate(_Client, kw_only=True, tag="conversation.item.truncate"):
    """Cut an assistant's audio at what was heard."""

    item_id: str
    content_index: Annotated[int, Meta(ge=0)]
    audio_end_ms: Milliseconds


class ConversationItemDelete(_Client, kw_only=True, tag="conversation.item.delete"):
    """Take an item out of the conversation."""

    item_id: str


class ResponseCreate(_Client, kw_only=True, tag="response.create"):
    """Ask for a response."""

    response: Maybe[ResponseCreateParams] = UNSET


class ResponseCancel(_Client, kw_only=True, tag="response.cancel"):
    """Stop a response: the one named, or else that of the default conversation."""

    response_id: Maybe[str] = UNSET


ClientEvent = (
    InputAudioBufferAppend
    | SessionUpdate
    | InputAudioBufferCommit
    | InputAudioBufferClear
    | OutputAudioBufferClear
    | ConversationItemCreate
    | ConversationItemRetrieve
    | ConversationItemTruncate
    | ConversationItemDelete
    | ResponseCreate
    | ResponseCancel
)
"""Any event that a client may send."""
