"""The 46 events that a server sends: those of `response_events`, and all others here.

The fields stand in the order of OpenAI's wire. ``event_id`` may stay empty while an event is being built; who
sends the event fills it in, and `codec.encode` refuses an event whose ``event_id`` is still empty.
"""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from vivavoce.errors import ProtocolError

from ._struct import Maybe, Tagged
from .items import Item
from .response_events import (
    ResponseContentPartAdded,
    ResponseContentPartDone,
    ResponseCreated,
    ResponseDone,
    ResponseEvent,
    ResponseFunctionCallArgumentsDelta,
    ResponseFunctionCallArgumentsDone,
    ResponseMcpCallArgumentsDelta,
    ResponseMcpCallArgumentsDone,
    ResponseMcpCallCompleted,
    ResponseMcpCallFailed,
    ResponseMcpCallInProgress,
    ResponseOutputAudioDelta,
    ResponseOutputAudioDone,
    ResponseOutputAudioTranscriptDelta,
    ResponseOutputAudioTranscriptDone,
    ResponseOutputItemAdded,
    ResponseOutputItemDone,
    ResponseOutputTextDelta,
    ResponseOutputTextDone,
    Server,
)
from .session import Session
from .usage import Logprob, TranscriptionUsage

__all__ = [
    "DELTAS",
    "Conversation",
    "ConversationCreated",
    "ConversationItemAdded",
    "ConversationItemCreated",
    "ConversationItemDeleted",
    "ConversationItemDone",
    "ConversationItemInputAudioTranscriptionCompleted",
    "ConversationItemInputAudioTranscriptionDelta",
    "ConversationItemInputAudioTranscriptionFailed",
    "ConversationItemInputAudioTranscriptionSegment",
    "ConversationItemRetrieved",
    "ConversationItemTruncated",
    "ErrorDetails",
    "ErrorEvent",
    "InputAudioBufferCleared",
    "InputAudioBufferCommitted",
    "InputAudioBufferDtmfEventReceived",
    "InputAudioBufferSpeechStarted",
    "InputAudioBufferSpeechStopped",
    "InputAudioBufferTimeoutTriggered",
    "McpListToolsCompleted",
    "McpListToolsFailed",
    "McpListToolsInProgress",
    "OutputAudioBufferCleared",
    "OutputAudioBufferStarted",
    "OutputAudioBufferStopped",
    "RateLimit",
    "RateLimitsUpdated",
    "ResponseContentPartAdded",
    "ResponseContentPartDone",
    "ResponseCreated",
    "ResponseDone",
    "ResponseFunctionCallArgumentsDelta",
    "ResponseFunctionCallArgumentsDone",
    "ResponseMcpCallArgumentsDelta",
    "ResponseMcpCallArgumentsDone",
    "ResponseMcpCallCompleted",
    "ResponseMcpCallFailed",
    "ResponseMcpCallInProgress",
    "ResponseOutputAudioDelta",
    "ResponseOutputAudioDone",
    "ResponseOutputAudioTranscriptDelta",
    "ResponseOutputAudioTranscriptDone",
    "ResponseOutputItemAdded",
    "ResponseOutputItemDone",
    "ResponseOutputTextDelta",
    "ResponseOutputTextDone",
    "Server",
    "ServerEvent",
    "SessionCreated",
    "SessionUpdated",
    "TranscriptionError",
    "TranscriptionLanguage",
]


class ErrorDetails(Struct, kw_only=True):
    """What went wrong, and with which of the client's events."""

    type: str = "invalid_request_error"
    code: str | None = None
    message: str
    param: str | None = None
    """Dotted path of the field that is wrong, such as ``session.audio.output.voice``."""
    event_id: str | None = None
    """The ``event_id`` of the client's event, if it had one."""


class ErrorEvent(Server, kw_only=True, tag="error"):
    """Something was refused or failed; the session goes on."""

    error: ErrorDetails

    @classmethod
    def of(cls, error: ProtocolError) -> "ErrorEvent":
        """Make the event that tells a client of this error."""
        return cls(
            error=ErrorDetails(
                type=error.type,
                code=error.code,
                message=error.message,
                param=error.param,
                event_id=error.event_id,
            )
        )


class SessionCreated(Server, kw_only=True, tag="session.created"):
    """The first event of a connection."""

    session: Session


class SessionUpdated(Server, kw_only=True, tag="session.updated"):
    """The session, after a change."""

    session: Session


class Conversation(Struct, kw_only=True):
    """A conversation's name."""

    id: Maybe[str] = UNSET
    object: Maybe[Literal["realtime.conversation"]] = UNSET


class ConversationCreated(Server, kw_only=True, tag="conversation.created"):
    """A conversation exists. Today's servers do not send it."""

    conversation: Conversation


class _ItemPlaced(Server, kw_only=True):
    """An event about an item and its place."""

    previous_item_id: Maybe[str] = UNSET
    """The item before it; null for the first."""
    item: Item


class ConversationItemCreated(_ItemPlaced, kw_only=True, tag="conversation.item.created"):
    """The beta's name of ``conversation.item.added``; listed in GA, not seen on its wire."""


class ConversationItemAdded(_ItemPlaced, kw_only=True, tag="conversation.item.added"):
    """An item is in the conversation, though it may still be growing."""


class ConversationItemDone(_ItemPlaced, kw_only=True, tag="conversation.item.done"):
    """An item is whole."""


class ConversationItemRetrieved(Server, kw_only=True, tag="conversation.item.retrieved"):
    """The item that the client asked for, audio included."""

    item: Item


class ConversationItemTruncated(Server, kw_only=True, tag="conversation.item.truncated"):
    """An assistant's audio has been cut."""

    item_id: str
    content_index: int
    audio_end_ms: int


class ConversationItemDeleted(Server, kw_only=True, tag="conversation.item.deleted"):
    """An item is gone."""

    item_id: str


class TranscriptionLanguage(Struct, kw_only=True):
    """A language that was heard."""

    code: str


class TranscriptionError(Struct, kw_only=True):
    """Why a transcription failed."""

    type: Maybe[str] = UNSET
    code: Maybe[str] = UNSET
    message: Maybe[str] = UNSET
    param: Maybe[str] = UNSET


class ConversationItemInputAudioTranscriptionDelta(
    Server, kw_only=True, tag="conversation.item.input_audio_transcription.delta"
):
    """More of what the user said; it may come before the item does."""

    item_id: str
    content_index: Maybe[int] = UNSET
    delta: Maybe[str] = UNSET
    logprobs: Maybe[list[Logprob]] = UNSET
    obfuscation: Maybe[str] = UNSET
    """Random padding that hides the length of the delta."""


class ConversationItemInputAudioTranscriptionCompleted(
    Server, kw_only=True, tag="conversation.item.input_audio_transcription.completed"
):
    """All that the user said."""

    item_id: str
    content_index: int
    transcript: str
    languages: Maybe[list[TranscriptionLanguage]] = UNSET
    logprobs: Maybe[list[Logprob]] = UNSET
    usage: TranscriptionUsage


class ConversationItemInputAudioTranscriptionSegment(
    Server, kw_only=True, tag="conversation.item.input_audio_transcription.segment"
):
    """What one speaker said, from models that tell speakers apart."""

    item_id: str
    content_index: int
    text: str
    id: str
    speaker: str
    start: float
    """Seconds from the start of the item's audio."""
    end: float


class ConversationItemInputAudioTranscriptionFailed(
    Server, kw_only=True, tag="conversation.item.input_audio_transcription.failed"
):
    """The user's speech could not be transcribed; the conversation goes on."""

    item_id: str
    content_index: int
    error: TranscriptionError


class InputAudioBufferCommitted(Server, kw_only=True, tag="input_audio_buffer.committed"):
    """The buffer becomes a user message."""

    previous_item_id: Maybe[str] = UNSET
    item_id: str


class InputAudioBufferCleared(Server, kw_only=True, tag="input_audio_buffer.cleared"):
    """The buffer is empty."""


class InputAudioBufferSpeechStarted(Server, kw_only=True, tag="input_audio_buffer.speech_started"):
    """The user has begun to speak."""

    audio_start_ms: int
    """Counted over all audio ever appended; includes the prefix padding."""
    item_id: str
    """The message that this speech will become."""


class InputAudioBufferSpeechStopped(Server, kw_only=True, tag="input_audio_buffer.speech_stopped"):
    """The user has stopped speaking."""

    audio_end_ms: int
    """Counted over all audio ever appended; includes the silence that ended the turn."""
    item_id: str


class InputAudioBufferTimeoutTriggered(Server, kw_only=True, tag="input_audio_buffer.timeout_triggered"):
    """Nobody has spoken for ``idle_timeout_ms``."""

    audio_start_ms: int
    audio_end_ms: int
    item_id: str


class InputAudioBufferDtmfEventReceived(Tagged, kw_only=True, tag="input_audio_buffer.dtmf_event_received"):
    """A key was pressed on a telephone (SIP only). The one server event without a required ``event_id``."""

    event_id: str | UnsetType = UNSET
    event: str
    received_at: int
    """Seconds since 1970."""


class OutputAudioBufferStarted(Server, kw_only=True, tag="output_audio_buffer.started"):
    """The server has begun to play a response (WebRTC and SIP only, as are the next two)."""

    response_id: str


class OutputAudioBufferStopped(Server, kw_only=True, tag="output_audio_buffer.stopped"):
    """A response has been played to its end."""

    response_id: str


class OutputAudioBufferCleared(Server, kw_only=True, tag="output_audio_buffer.cleared"):
    """The playing was broken off."""

    response_id: str


class McpListToolsInProgress(Server, kw_only=True, tag="mcp_list_tools.in_progress"):
    """The server is asking an MCP server for its tools."""

    item_id: str


class McpListToolsCompleted(Server, kw_only=True, tag="mcp_list_tools.completed"):
    """The MCP server has told its tools."""

    item_id: str


class McpListToolsFailed(Server, kw_only=True, tag="mcp_list_tools.failed"):
    """The MCP server has not told its tools."""

    item_id: str


class RateLimit(Struct, kw_only=True):
    """What may still be used, and when it is renewed."""

    name: Maybe[str] = UNSET
    """``tokens`` or ``requests``."""
    limit: Maybe[int] = UNSET
    remaining: Maybe[int] = UNSET
    reset_seconds: Maybe[int | float] = UNSET


class RateLimitsUpdated(Server, kw_only=True, tag="rate_limits.updated"):
    """Sent after ``response.done``."""

    rate_limits: list[RateLimit]


ServerEvent = (
    ResponseEvent
    | ErrorEvent
    | SessionCreated
    | SessionUpdated
    | ConversationCreated
    | ConversationItemCreated
    | ConversationItemAdded
    | ConversationItemDone
    | ConversationItemRetrieved
    | ConversationItemTruncated
    | ConversationItemDeleted
    | ConversationItemInputAudioTranscriptionDelta
    | ConversationItemInputAudioTranscriptionCompleted
    | ConversationItemInputAudioTranscriptionSegment
    | ConversationItemInputAudioTranscriptionFailed
    | InputAudioBufferCommitted
    | InputAudioBufferCleared
    | InputAudioBufferSpeechStarted
    | InputAudioBufferSpeechStopped
    | InputAudioBufferTimeoutTriggered
    | InputAudioBufferDtmfEventReceived
    | OutputAudioBufferStarted
    | OutputAudioBufferStopped
    | OutputAudioBufferCleared
    | McpListToolsInProgress
    | McpListToolsCompleted
    | McpListToolsFailed
    | RateLimitsUpdated
)
"""Any event that a server may send."""

DELTAS: frozenset[type] = frozenset(
    {
        ResponseOutputAudioDelta,
        ResponseOutputAudioTranscriptDelta,
        ResponseOutputTextDelta,
        ResponseFunctionCallArgumentsDelta,
        ResponseMcpCallArgumentsDelta,
    }
)
"""The events that add to a response's output: they come many times a second, and change nothing but an item."""
