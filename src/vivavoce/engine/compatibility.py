"""What the engine makes of the Realtime protocol: every event, and every field of every object, is told of once here.

`docs/reference/compatibility.md` is made of these tables, and tests compare them with the protocol's types and with
what the engine does. A row is a status, the names that it holds for, and after a colon what there is to say of them.
"""

from dataclasses import dataclass
from typing import Literal, cast, get_args

from vivavoce.protocol import items, responses, server_events, session, session_params, tools, usage

__all__ = ["CLIENT_EVENTS", "OBJECTS", "SERVER_EVENTS", "Row", "Section", "Status"]

Status = Literal["served", "approximated", "refused", "unsent"]
"""As the protocol has it; accepted, and done as the note says; answered with an ``error``; for a server to send, but
not for this one."""


@dataclass(frozen=True, slots=True)
class Row:
    """An event, or a field, or some that are treated alike."""

    names: tuple[str, ...]
    status: Status
    note: str


@dataclass(frozen=True, slots=True)
class Section:
    """One object of the protocol: the structs that describe it, asked for and told, and their fields."""

    title: str
    structs: tuple[type, ...]
    rows: tuple[Row, ...]


def _rows(text: str) -> tuple[Row, ...]:
    rows = []
    for line in text.strip().splitlines():
        told, _, note = " ".join(line.split()).partition(": ")
        status, *names = told.split()
        if status not in get_args(Status) or not names:
            raise ValueError(f"Expected a status and names, but got {line!r}.")
        rows.append(Row(tuple(names), cast("Status", status), note))
    return tuple(rows)


CLIENT_EVENTS = _rows("""
    served session.update: refused as a whole if one field is
    served input_audio_buffer.append: 600 s may wait uncommitted
    served input_audio_buffer.commit: 100 ms at the least
    served input_audio_buffer.clear: the clock of the input audio goes on
    refused output_audio_buffer.clear: it belongs to WebRTC; over a WebSocket the client plays, and stops, the audio
    served conversation.item.create: 1000 items are kept; an `id` that is taken is accepted, as OpenAI accepts it
    served conversation.item.retrieve: with its audio, of which 600 s are kept
    approximated conversation.item.truncate: the words up to what was heard stay; OpenAI drops the whole transcript
    served conversation.item.delete: the response that writes the item ends as cancelled
    served response.create: not in a transcription session; four at one time beside the conversation
    served response.cancel
""")

SERVER_EVENTS = _rows("""
    served error
    served session.created session.updated
    unsent conversation.created: recorded sessions do not have it either
    served conversation.item.added conversation.item.done
    unsent conversation.item.created: the beta's; `conversation.item.added` and `.done` are sent
    served conversation.item.retrieved conversation.item.truncated
    served conversation.item.deleted: also of the oldest, when there are too many
    served conversation.item.input_audio_transcription.delta: while somebody speaks; in a transcription session also \
        while audio waits for the commit; without `logprobs`
    served conversation.item.input_audio_transcription.completed: before the response; without `logprobs` and \
        `languages`
    served conversation.item.input_audio_transcription.failed
    unsent conversation.item.input_audio_transcription.segment: the recogniser does not tell speakers apart
    served input_audio_buffer.committed input_audio_buffer.cleared
    served input_audio_buffer.speech_started input_audio_buffer.speech_stopped: in steps of 32 ms, as OpenAI's
    served input_audio_buffer.timeout_triggered
    unsent input_audio_buffer.dtmf_event_received: belongs to SIP
    unsent output_audio_buffer.started output_audio_buffer.stopped output_audio_buffer.cleared: belong to WebRTC
    served response.created response.done
    served response.output_item.added response.output_item.done
    served response.content_part.added response.content_part.done
    served response.output_text.delta response.output_text.done
    served response.output_audio_transcript.delta response.output_audio_transcript.done
    served response.output_audio.delta response.output_audio.done: 200 ms at a time
    served response.function_call_arguments.delta response.function_call_arguments.done
    unsent mcp_list_tools.in_progress mcp_list_tools.completed mcp_list_tools.failed response.mcp_call.in_progress \
        response.mcp_call.completed response.mcp_call.failed response.mcp_call_arguments.delta \
        response.mcp_call_arguments.done: MCP servers are refused
    approximated rate_limits.updated: after each response; `tokens`, as many left as a number holds: there is no \
        limit
""")

_SESSION = (
    Section(
        "Session",
        (session.RealtimeSession, session_params.RealtimeSessionParams),
        _rows("""
            served object id expires_at: 60 minutes, then `session_expired` and close code 1001
            approximated model: told as the client named it when it connected, and passed over in an update, as OpenAI \
                does; what answers is the engine's profile
            served output_modalities: `["audio"]` or `["text"]`
            served instructions: an empty text restores the engine's own, as OpenAI's does
            served tools tool_choice parallel_tool_calls
            approximated max_output_tokens: `inf` is 512, about two minutes of speech
            approximated tracing include reasoning: kept and told, without effect
            approximated truncation: kept and told; the oldest items are left out in any case, a good part at once
            refused prompt: no prompts are stored here; send `instructions`
            served audio
        """),
    ),
    Section(
        "Session of type `transcription`",
        (session.TranscriptionSession, session_params.TranscriptionSessionParams),
        _rows("""
            served object id expires_at
            served audio: only `input`
            approximated include: kept and told, without effect
        """),
    ),
    Section(
        "`audio`",
        (
            session.SessionAudio,
            session.TranscriptionAudio,
            session_params.AudioParams,
            session_params.TranscriptionAudioParams,
            responses.ResponseAudio,
            responses.ResponseAudioParams,
        ),
        _rows("""
            served input output
        """),
    ),
    Section(
        "`audio.input`",
        (session.AudioInput, session.TranscriptionInput, session_params.AudioInputParams),
        _rows("""
            served format
            served transcription: null: nothing is told of the words, which the engine needs all the same
            approximated noise_reduction: kept and told, without effect
            served turn_detection: null: the client commits; what an update leaves out stays as long as `type` does
        """),
    ),
    Section(
        "`format`",
        (session.AudioPcm, session.AudioPcmu, session.AudioPcma),
        _rows("""
            served rate: `audio/pcm` at 24000 only; `audio/pcmu` and `audio/pcma` are at 8000, and heard 2 ms late
        """),
    ),
    Section(
        "`transcription`",
        (session.Transcription, session_params.TranscriptionParams),
        _rows("""
            approximated model: any name; it decides how usage is counted, the recogniser is the engine's profile's
            served language prompt: as far as the recogniser knows other languages than English
            approximated delay keywords languages: kept and told, without effect
        """),
    ),
    Section(
        "`turn_detection` of type `server_vad`",
        (session.ServerVad, session.TranscriptionServerVad, session_params.ServerVadParams),
        _rows("""
            served threshold prefix_padding_ms silence_duration_ms
            served idle_timeout_ms: counted on the clock of the audio that comes in
            served create_response: a turn without words gets none
            served interrupt_response
        """),
    ),
    Section(
        "`turn_detection` of type `semantic_vad`",
        (session.SemanticVad, session.TranscriptionSemanticVad, session_params.SemanticVadParams),
        _rows("""
            approximated eagerness: Smart Turn hears whether a pause ends the turn, and English words that cannot be \
                the last overrule it: a complete turn ends after 0.2 to 0.6 s of silence, another after 0.7 to 2 s
            served create_response interrupt_response
        """),
    ),
    Section(
        "`audio.output`, of a session and of a response",
        (
            session.AudioOutput,
            session_params.AudioOutputParams,
            responses.ResponseAudioOutput,
            responses.ResponseAudioOutputParams,
        ),
        _rows("""
            served format
            served voice: each a voice of its own ([which](voices.md)), and so are the older `fable`, `onyx` and `nova`
            served speed: 0.25 is a quarter of the pace, at the same pitch
        """),
    ),
    Section(
        "`voice`, if it is an object",
        (session.VoiceId,),
        _rows("""
            refused id: there are no voices of one's own
        """),
    ),
    Section(
        "`noise_reduction`, `truncation`, `tracing` and `reasoning`",
        (
            session.NoiseReduction,
            session.RetentionRatio,
            session.TokenLimits,
            session.TracingConfiguration,
            session.Reasoning,
        ),
        _rows("""
            approximated type strength retention_ratio token_limits post_instructions workflow_name group_id \
                metadata effort: kept and told, without effect
        """),
    ),
    Section(
        "`prompt`",
        (session.Prompt,),
        _rows("""
            refused id version variables: no prompts are stored here; send `instructions`
        """),
    ),
    Section(
        "Function among `tools`, or as `tool_choice`",
        (tools.FunctionTool, tools.ToolChoiceFunction),
        _rows("""
            served name description parameters: together a third of what the language model reads
        """),
    ),
)

_ITEMS = (
    Section(
        "Message",
        (items.MessageItem,),
        _rows("""
            served id role content
            approximated object status: accepted from a client; `object` is never sent, `status` is the item's own
            approximated phase: accepted from a client, and never sent: the language model does not reason
        """),
    ),
    Section(
        "Content, and parts of `response.content_part.*`",
        (
            items.InputText,
            items.InputAudio,
            items.OutputText,
            items.OutputAudio,
            items.TextPart,
            items.AudioPart,
        ),
        _rows("""
            served text transcript
            served audio: in the session's format of that direction; only sent when an item is retrieved
        """),
    ),
    Section(
        "Content of type `input_image`",
        (items.InputImage,),
        _rows("""
            refused image_url detail: the language model does not see
        """),
    ),
    Section(
        "Function call",
        (items.FunctionCall,),
        _rows("""
            served id name call_id arguments
            approximated object status: accepted from a client; `object` is never sent, `status` is the item's own
        """),
    ),
    Section(
        "Output of a function",
        (items.FunctionCallOutput,),
        _rows("""
            served id call_id output
            approximated object status: accepted from a client, never sent, as OpenAI does
        """),
    ),
    Section(
        "Reference to an item, in `input`",
        (items.ItemReference,),
        _rows("""
            served id
        """),
    ),
    Section(
        "MCP: servers among `tools`, their items, and as `tool_choice`",
        (
            tools.McpServerTool,
            tools.McpToolFilter,
            tools.McpApprovalFilter,
            tools.ToolChoiceMcp,
            items.McpListTools,
            items.McpTool,
            items.McpCall,
            items.McpApprovalRequest,
            items.McpApprovalResponse,
            items.McpProtocolError,
            items.ToolExecutionError,
            items.HttpError,
        ),
        _rows("""
            refused id server_label server_url connector_id tunnel_id server_description authorization headers \
                allowed_tools require_approval allowed_callers defer_loading tool_names read_only always never tools \
                name description input_schema annotations arguments approval_request_id approve reason output error \
                code message: no MCP servers are called here; offer their tools as functions
        """),
    ),
)

_RESPONSE = (
    Section(
        "`response.create`",
        (responses.ResponseCreateParams,),
        _rows("""
            served conversation: `none`: out of band, four at one time
            served input: items, and references to items
            served instructions output_modalities audio tools tool_choice parallel_tool_calls metadata
            approximated max_output_tokens: `inf` is 512
            approximated reasoning: accepted, without effect
            refused prompt: no prompts are stored here; send `instructions`
        """),
    ),
    Section(
        "Response",
        (responses.Response, responses.ResponseStatusDetails, responses.ResponseError),
        _rows("""
            served object id status output conversation_id output_modalities max_output_tokens audio metadata
            served status_details type reason error: no `content_filter`: nothing is filtered
            served code message: why it failed
            approximated usage: null until the response is done
        """),
    ),
    Section(
        "Usage of a response",
        (usage.Usage, usage.InputTokenDetails, usage.CachedTokensDetails, usage.OutputTokenDetails),
        _rows("""
            approximated total_tokens input_tokens output_tokens input_token_details output_token_details \
                cached_tokens cached_tokens_details text_tokens image_tokens: text is counted by the language model; \
                of a response that was cut off, only what was written
            approximated audio_tokens: 50 ms each of what was spoken, 100 ms each of what was heard, beside its \
                words
            unsent reasoning_tokens: the language model does not reason
        """),
    ),
)

_REST = (
    Section(
        "Usage of a transcription",
        (usage.TranscriptionTokens, usage.TranscriptionTokenDetails, usage.TranscriptionDuration),
        _rows("""
            served seconds: of `whisper-1` and `gpt-realtime-whisper`
            approximated total_tokens input_tokens input_token_details output_tokens text_tokens audio_tokens: of \
                other models: 100 ms of audio each, and those that the recogniser decoded
        """),
    ),
    Section(
        "Error, of the session and of a transcription",
        (server_events.ErrorDetails, server_events.TranscriptionError),
        _rows("""
            served type code message param event_id
        """),
    ),
    Section(
        "Rate limit",
        (server_events.RateLimit,),
        _rows("""
            approximated name limit remaining reset_seconds: there is none
        """),
    ),
    Section(
        "What only comes with what is never sent",
        (server_events.Conversation, server_events.TranscriptionLanguage, usage.Logprob),
        _rows("""
            unsent id object code token logprob bytes: conversations, languages, `logprobs`
        """),
    ),
)


OBJECTS: tuple[tuple[str, tuple[Section, ...]], ...] = (
    ("Session", _SESSION),
    ("Items", _ITEMS),
    ("Responses", _RESPONSE),
    ("Everything else", _REST),
)
"""The objects inside of events, by what they are about."""
