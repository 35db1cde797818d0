"""Items: what a conversation is made of, and their content.

The fields stand in the order of OpenAI's wire. The GA wire sends no ``object`` with an item; clients may.
An ``id`` or ``call_id`` that is absent reads as ``""``, and ``""`` is not sent: a client may create an item
without one, and the server then gives it one.
"""

from typing import Any, Literal

from msgspec import UNSET, Struct

from ._struct import Maybe, Tagged

__all__ = [
    "CONTENT_OF_ROLE",
    "AssistantContent",
    "AudioPart",
    "Content",
    "FunctionCall",
    "FunctionCallOutput",
    "HttpError",
    "InputAudio",
    "InputImage",
    "InputText",
    "Item",
    "ItemReference",
    "ItemStatus",
    "McpApprovalRequest",
    "McpApprovalResponse",
    "McpCall",
    "McpError",
    "McpListTools",
    "McpProtocolError",
    "McpTool",
    "MessageItem",
    "OutputAudio",
    "OutputText",
    "Part",
    "Role",
    "TextPart",
    "ToolExecutionError",
    "UserContent",
]

ItemStatus = Literal["in_progress", "completed", "incomplete"]
Role = Literal["system", "user", "assistant"]


# What a message contains.


class InputText(Tagged, kw_only=True, tag="input_text"):
    """Text from the user, or from the system."""

    text: str


class InputAudio(Tagged, kw_only=True, tag="input_audio"):
    """Speech from the user."""

    audio: Maybe[str] = UNSET
    """Base64 of audio in the session's input format; the server sends it only when an item is retrieved."""
    transcript: Maybe[str] = UNSET
    """Null until the transcription is known."""


class InputImage(Tagged, kw_only=True, tag="input_image"):
    """A picture from the user."""

    image_url: str
    """A data URI, ``data:image/png;base64,…``."""
    detail: Maybe[Literal["auto", "low", "high"]] = UNSET


class OutputText(Tagged, kw_only=True, tag="output_text"):
    """Text from the assistant."""

    text: str


class OutputAudio(Tagged, kw_only=True, tag="output_audio"):
    """Speech from the assistant."""

    audio: Maybe[str] = UNSET
    """Base64 of audio in the session's output format; the server sends it only when an item is retrieved."""
    transcript: Maybe[str] = UNSET


UserContent = InputText | InputAudio | InputImage
AssistantContent = OutputText | OutputAudio
Content = InputText | InputAudio | InputImage | OutputText | OutputAudio

CONTENT_OF_ROLE: dict[Role, tuple[str, ...]] = {
    "system": ("input_text",),
    "user": ("input_text", "input_audio", "input_image"),
    "assistant": ("output_text", "output_audio"),
}
"""The content types that a message of each role may hold."""


# The parts of ``response.content_part.*``, which have names of their own on the wire.


class TextPart(Tagged, kw_only=True, tag="text"):
    """A part of a response that is text."""

    text: str


class AudioPart(Tagged, kw_only=True, tag="audio"):
    """A part of a response that is speech."""

    audio: Maybe[str] = UNSET
    transcript: Maybe[str] = UNSET


Part = TextPart | AudioPart


# Items.


class MessageItem(Tagged, kw_only=True, omit_defaults=True, tag="message"):
    """What one side said, in any mix of content that suits its role (`CONTENT_OF_ROLE`)."""

    id: str = ""
    object: Maybe[Literal["realtime.item"]] = UNSET
    status: Maybe[ItemStatus] = UNSET
    role: Role
    content: list[Content]
    phase: Maybe[str] = UNSET
    """``commentary`` or ``final_answer``, from models that reason."""


class FunctionCall(Tagged, kw_only=True, omit_defaults=True, tag="function_call"):
    """The assistant asks for a function to be called."""

    id: str = ""
    object: Maybe[Literal["realtime.item"]] = UNSET
    status: Maybe[ItemStatus] = UNSET
    name: str
    call_id: str = ""
    arguments: str
    """JSON text of one object; it may be cut short when the response was."""


class FunctionCallOutput(Tagged, kw_only=True, omit_defaults=True, tag="function_call_output"):
    """What the function answered. The wire gives it no ``status``."""

    id: str = ""
    object: Maybe[Literal["realtime.item"]] = UNSET
    status: Maybe[ItemStatus] = UNSET
    call_id: str
    output: str


class McpTool(Struct, kw_only=True):
    """A tool that an MCP server offers."""

    name: str
    description: Maybe[str] = UNSET
    input_schema: Any
    """JSON schema of the arguments."""
    annotations: Maybe[Any] = UNSET


class McpListTools(Tagged, kw_only=True, omit_defaults=True, tag="mcp_list_tools"):
    """The tools that one MCP server offers."""

    id: str = ""
    server_label: str
    tools: list[McpTool]


class McpProtocolError(Tagged, kw_only=True, tag="protocol_error"):
    """The MCP server did not keep to its protocol."""

    code: int
    message: str


class ToolExecutionError(Tagged, kw_only=True, tag="tool_execution_error"):
    """The tool itself failed."""

    message: str


class HttpError(Tagged, kw_only=True, tag="http_error"):
    """The MCP server answered with an HTTP error."""

    code: int
    message: str


McpError = McpProtocolError | ToolExecutionError | HttpError


class McpCall(Tagged, kw_only=True, omit_defaults=True, tag="mcp_call"):
    """A call of a tool on an MCP server, and its outcome."""

    id: str = ""
    server_label: str
    name: str
    arguments: str
    approval_request_id: Maybe[str] = UNSET
    output: Maybe[str] = UNSET
    error: Maybe[McpError] = UNSET


class McpApprovalRequest(Tagged, kw_only=True, omit_defaults=True, tag="mcp_approval_request"):
    """The server asks whether it may call a tool."""

    id: str = ""
    server_label: str
    name: str
    arguments: str


class McpApprovalResponse(Tagged, kw_only=True, omit_defaults=True, tag="mcp_approval_response"):
    """The client's answer to that."""

    id: str = ""
    approval_request_id: str
    approve: bool
    reason: Maybe[str] = UNSET


Item = (
    MessageItem
    | FunctionCall
    | FunctionCallOutput
    | McpListTools
    | McpCall
    | McpApprovalRequest
    | McpApprovalResponse
)


class ItemReference(Tagged, kw_only=True, tag="item_reference"):
    """An item of the conversation, named in the ``input`` of a ``response.create``."""

    id: str
