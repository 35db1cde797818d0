"""What a response is to be: the session's configuration, and what the client asks of this one. Pure."""

from dataclasses import dataclass
from typing import Literal

from vivavoce.engine.models.protocols import Function
from vivavoce.engine.session import tools, wire
from vivavoce.engine.session.config import check_format, check_modalities, check_voice, given
from vivavoce.engine.session.conversation import Conversation, Entry
from vivavoce.errors import ProtocolError
from vivavoce.protocol.errors import invalid_value
from vivavoce.protocol.ids import Ids
from vivavoce.protocol.items import Item, ItemReference
from vivavoce.protocol.responses import ResponseAudioOutputParams, ResponseAudioParams, ResponseCreateParams
from vivavoce.protocol.session import AudioFormat, Modality, RealtimeSession

__all__ = ["Wanted", "wanted"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A response, before there is anything of it."""

    modality: Modality
    voice: str
    speed: float
    audio_format: AudioFormat
    max_output_tokens: int | Literal["inf"]
    metadata: dict[str, str] | None
    instructions: str
    functions: tuple[Function, ...]
    tool_choice: Literal["auto", "none", "required"]
    must_call: str | None
    parallel_calls: bool
    out_of_band: bool = False
    """Whether it runs beside the conversation and leaves no trace in it."""
    context: tuple[Entry, ...] | None = None
    """What it answers instead of the conversation."""


def wanted(
    session: RealtimeSession,
    params: ResponseCreateParams,
    conversation: Conversation,
    ids: Ids,
    *,
    voices: tuple[str, ...],
    tool_limits: tools.ToolLimits,
) -> Wanted:
    """Say what a response is to be; raises `ProtocolError` for what cannot be had."""
    if given(params.prompt, None) is not None:
        message = "Invalid value for 'response.prompt'. This endpoint stores no prompts; send instructions."
        raise ProtocolError(message, code="invalid_value", param="response.prompt")
    audio = given(given(params.audio, ResponseAudioParams()).output, ResponseAudioOutputParams())
    offered = given(params.tools, session.tools)
    if offered is not session.tools:
        tools.check_tools(offered, "response.tools", tool_limits)
    chosen = given(params.tool_choice, None)
    if chosen is not None:
        tools.check_choice(chosen, offered, "response.tool_choice")
    tool_choice, must_call = tools.choice(chosen or session.tool_choice)
    if must_call is not None and must_call not in {tool.name for tool in tools.functions(offered)}:
        tool_choice, must_call = "auto", None  # the session's choice is not among the response's own tools
    voice = given(audio.voice, session.audio.output.voice)
    modalities = given(params.output_modalities, session.output_modalities)
    return Wanted(
        modality=check_modalities(modalities, "response.output_modalities")[0],
        voice=check_voice(voice, voices, "response.audio.output.voice"),
        speed=session.audio.output.speed,
        audio_format=check_format(
            given(audio.format, session.audio.output.format), "response.audio.output.format"
        ),
        max_output_tokens=given(params.max_output_tokens, session.max_output_tokens),
        metadata=given(params.metadata, None),
        instructions=given(params.instructions, session.instructions),
        functions=tools.functions(offered),
        tool_choice=tool_choice,
        must_call=must_call,
        parallel_calls=given(params.parallel_tool_calls, given(session.parallel_tool_calls, True)),  # noqa: FBT003
        out_of_band=_out_of_band(given(params.conversation, "auto")),
        context=_context(given(params.input, None), session, conversation, ids),
    )


def _out_of_band(conversation: str) -> bool:
    if conversation not in ("auto", "none"):
        raise invalid_value("response.conversation", conversation, ("auto", "none"))
    return conversation == "none"


def _context(
    given_items: list[Item | ItemReference] | None,
    session: RealtimeSession,
    conversation: Conversation,
    ids: Ids,
) -> tuple[Entry, ...] | None:
    if given_items is None:
        return None
    entries = []
    for index, item in enumerate(given_items):
        param = f"response.input[{index}]"
        if isinstance(item, ItemReference):
            entry = conversation.find(item.id)
            if entry is None:
                message = f"Invalid value for '{param}.id'. The item with id '{item.id}' does not exist."
                raise ProtocolError(message, code="invalid_value", param=f"{param}.id")
            entries.append(entry)
        else:
            entries.append(wire.entry(item, item.id or ids.item(), session.audio, param))
    return tuple(entries)
