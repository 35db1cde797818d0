"""The nineteen ``response.*`` events that a server sends. The fields stand in the order of OpenAI's wire."""

from msgspec import UNSET

from ._struct import Maybe, Tagged
from .items import Item, Part
from .responses import Response

__all__ = [
    "ResponseContentPartAdded",
    "ResponseContentPartDone",
    "ResponseCreated",
    "ResponseDone",
    "ResponseEvent",
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
]


class Server(Tagged, kw_only=True):
    """What every server event carries."""

    event_id: str = ""
    """Empty while the event is being built; who sends it fills it in, and `codec.encode` refuses it empty."""


class _InResponse(Server, kw_only=True):
    """An event about a part of a response."""

    response_id: str


class _InItem(_InResponse, kw_only=True):
    """An event about an item that a response puts out."""

    item_id: str
    output_index: int
    """Which of the response's items."""


class _InContent(_InItem, kw_only=True):
    """An event about a part of such an item's content."""

    content_index: int
    """Which of the item's contents."""


class ResponseCreated(Server, kw_only=True, tag="response.created"):
    """A response has begun."""

    response: Response


class ResponseDone(Server, kw_only=True, tag="response.done"):
    """A response has ended, in whatever way; always sent."""

    response: Response


class ResponseOutputItemAdded(_InResponse, kw_only=True, tag="response.output_item.added"):
    """A response begins an item."""

    output_index: int
    item: Item


class ResponseOutputItemDone(_InResponse, kw_only=True, tag="response.output_item.done"):
    """A response has ended an item."""

    output_index: int
    item: Item


class ResponseContentPartAdded(_InContent, kw_only=True, tag="response.content_part.added"):
    """A response begins a part of a message."""

    part: Part


class ResponseContentPartDone(_InContent, kw_only=True, tag="response.content_part.done"):
    """A response has ended a part of a message."""

    part: Part


class ResponseOutputTextDelta(_InContent, kw_only=True, tag="response.output_text.delta"):
    """More text."""

    delta: str
    obfuscation: Maybe[str] = UNSET
    """Random padding that hides the length of the delta."""


class ResponseOutputTextDone(_InContent, kw_only=True, tag="response.output_text.done"):
    """The whole text."""

    text: str


class ResponseOutputAudioTranscriptDelta(
    _InContent, kw_only=True, tag="response.output_audio_transcript.delta"
):
    """More of what is spoken, as text."""

    delta: str
    obfuscation: Maybe[str] = UNSET


class ResponseOutputAudioTranscriptDone(
    _InContent, kw_only=True, tag="response.output_audio_transcript.done"
):
    """All that was spoken, as text."""

    transcript: str


class ResponseOutputAudioDelta(_InContent, kw_only=True, tag="response.output_audio.delta"):
    """More speech."""

    delta: str
    """Base64 of audio in the session's output format."""


class ResponseOutputAudioDone(_InContent, kw_only=True, tag="response.output_audio.done"):
    """All the speech has been sent."""


class ResponseFunctionCallArgumentsDelta(_InItem, kw_only=True, tag="response.function_call_arguments.delta"):
    """More of a function's arguments."""

    call_id: str
    delta: str
    obfuscation: Maybe[str] = UNSET


class ResponseFunctionCallArgumentsDone(_InItem, kw_only=True, tag="response.function_call_arguments.done"):
    """A function's arguments, whole."""

    call_id: str
    name: Maybe[str] = UNSET
    """Always sent by today's servers; those of the beta era leave it out."""
    arguments: str


class ResponseMcpCallArgumentsDelta(_InItem, kw_only=True, tag="response.mcp_call_arguments.delta"):
    """More of an MCP tool's arguments."""

    delta: str
    obfuscation: Maybe[str] = UNSET


class ResponseMcpCallArgumentsDone(_InItem, kw_only=True, tag="response.mcp_call_arguments.done"):
    """An MCP tool's arguments, whole."""

    arguments: str


class ResponseMcpCallInProgress(Server, kw_only=True, tag="response.mcp_call.in_progress"):
    """The server is calling an MCP tool."""

    output_index: int
    item_id: str


class ResponseMcpCallCompleted(Server, kw_only=True, tag="response.mcp_call.completed"):
    """An MCP tool has answered."""

    output_index: int
    item_id: str


class ResponseMcpCallFailed(Server, kw_only=True, tag="response.mcp_call.failed"):
    """An MCP tool has failed."""

    output_index: int
    item_id: str


ResponseEvent = (
    ResponseOutputAudioDelta
    | ResponseCreated
    | ResponseDone
    | ResponseOutputItemAdded
    | ResponseOutputItemDone
    | ResponseContentPartAdded
    | ResponseContentPartDone
    | ResponseOutputTextDelta
    | ResponseOutputTextDone
    | ResponseOutputAudioTranscriptDelta
    | ResponseOutputAudioTranscriptDone
    | ResponseOutputAudioDone
    | ResponseFunctionCallArgumentsDelta
    | ResponseFunctionCallArgumentsDone
    | ResponseMcpCallArgumentsDelta
    | ResponseMcpCallArgumentsDone
    | ResponseMcpCallInProgress
    | ResponseMcpCallCompleted
    | ResponseMcpCallFailed
)
