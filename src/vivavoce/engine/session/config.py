"""The session's configuration: what a client asks for, checked as a whole, becomes what is in force. Pure."""

from typing import TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from vivavoce.engine.session.tools import ToolLimits, check_choice, check_tools
from vivavoce.errors import ProtocolError
from vivavoce.protocol.errors import cannot_update_voice, invalid_modalities, invalid_value, out_of_bounds
from vivavoce.protocol.session import (
    PCM_RATE,
    AudioFormat,
    AudioInput,
    AudioOutput,
    AudioPcm,
    Modality,
    NoiseReduction,
    RealtimeSession,
    SemanticVad,
    ServerVad,
    SessionAudio,
    SessionType,
    Transcription,
    TranscriptionAudio,
    TranscriptionInput,
    TranscriptionSemanticVad,
    TranscriptionServerVad,
    TranscriptionSession,
    TranscriptionTurnDetection,
    TurnDetection,
)
from vivavoce.protocol.session_params import (
    AudioInputParams,
    AudioOutputParams,
    RealtimeSessionParams,
    SemanticVadParams,
    ServerVadParams,
    SessionParams,
    TranscriptionAudioParams,
    TranscriptionParams,
    TranscriptionSessionParams,
)
from vivavoce.protocol.tools import Tool, ToolChoice

__all__ = [
    "DEFAULT_INSTRUCTIONS",
    "DEFAULT_TRANSCRIPTION",
    "check_format",
    "check_modalities",
    "check_voice",
    "given",
    "kind",
    "new",
    "told",
    "updated",
]

DEFAULT_INSTRUCTIONS = (
    "You are a friendly voice assistant. Answer in one or two short, plain sentences that sound natural when "
    "read aloud. Use no lists, no markup and no emoji. If you do not know something, say so."
)
"""In force until a client gives its own, and again when a client gives an empty string."""

DEFAULT_TRANSCRIPTION = Transcription(model="whisper-1")
"""Where a client asks for transcriptions without naming a model."""

T = TypeVar("T")


def given(value: T | UnsetType | None, otherwise: T) -> T:
    """Return a value if there is one, and ``otherwise`` if it is absent or null."""
    return otherwise if value is None or isinstance(value, UnsetType) else value


def updated(
    session: RealtimeSession,
    params: SessionParams,
    *,
    voices: tuple[str, ...],
    spoke: bool,
    tool_limits: ToolLimits,
) -> RealtimeSession:
    """Return the session with the changes in force.

    Nothing is changed in place: if one field is refused, with `ProtocolError`, the whole update is. ``spoke``
    says whether the session has sent audio, which settles its voice. A ``model`` is passed over, as OpenAI does:
    one that was named with the connection stays.
    """
    if isinstance(params, TranscriptionSessionParams):
        return _only_listening(session, params)
    _check_unserved(params)
    audio = given(params.audio, None)
    tools, tool_choice = _tools(session, params, tool_limits)
    changes = {
        "output_modalities": check_modalities(
            given(params.output_modalities, session.output_modalities), "session.output_modalities"
        ),
        "instructions": _instructions(session.instructions, params.instructions),
        "tools": tools,
        "tool_choice": tool_choice,
        "parallel_tool_calls": _nullable(params.parallel_tool_calls, session.parallel_tool_calls, UNSET),
        "reasoning": _nullable(params.reasoning, session.reasoning, UNSET),
        "max_output_tokens": _nullable(params.max_output_tokens, session.max_output_tokens, "inf"),
        "tracing": _nullable(params.tracing, session.tracing, None),
        "truncation": given(params.truncation, session.truncation),
        "include": _nullable(params.include, session.include, None),
        "audio": session.audio
        if audio is None
        else SessionAudio(
            input=_input(session.audio.input, given(audio.input, None)),
            output=_output(session.audio.output, given(audio.output, None), voices=voices, spoke=spoke),
        ),
    }
    return msgspec.structs.replace(session, **changes)


def new(
    params: SessionParams,
    *,
    id: str,  # noqa: A002 - the wire's name
    model: str,
    expires_at: int,
    voices: tuple[str, ...],
    tool_limits: ToolLimits,
) -> RealtimeSession:
    """Return the session that a connection starts with, as `updated` does; its ``model`` may be named by ``params``.

    One of type transcription is a realtime one without answers.
    """
    if isinstance(params, RealtimeSessionParams):
        model = given(params.model, model)
    session = RealtimeSession(id=id, model=model, instructions=DEFAULT_INSTRUCTIONS, expires_at=expires_at)
    return updated(session, params, voices=voices, spoke=False, tool_limits=tool_limits)


def kind(params: SessionParams) -> SessionType:
    """Return the type of session that is asked for."""
    return "realtime" if isinstance(params, RealtimeSessionParams) else "transcription"


def told(session: RealtimeSession, kind: SessionType) -> RealtimeSession | TranscriptionSession:
    """Return the session as the client sees it."""
    if kind == "realtime":
        return session
    heard = session.audio.input
    detection = heard.turn_detection
    return TranscriptionSession(
        id=session.id,
        expires_at=session.expires_at,
        audio=TranscriptionAudio(
            input=TranscriptionInput(
                format=heard.format,
                transcription=heard.transcription,
                noise_reduction=heard.noise_reduction,
                turn_detection=None if detection is None else _unanswered(detection),
            )
        ),
        include=session.include,
    )


def _unanswered(detection: TurnDetection) -> TranscriptionTurnDetection:
    if isinstance(detection, SemanticVad):
        return TranscriptionSemanticVad(eagerness=detection.eagerness)
    return TranscriptionServerVad(
        threshold=detection.threshold,
        prefix_padding_ms=detection.prefix_padding_ms,
        silence_duration_ms=detection.silence_duration_ms,
    )


def check_format(audio_format: AudioFormat, param: str) -> AudioFormat:
    """Return the format; raises `ProtocolError` for PCM at another rate than the protocol's."""
    if isinstance(audio_format, AudioPcm) and audio_format.rate != PCM_RATE:
        side = ">=" if audio_format.rate < PCM_RATE else "<="
        raise out_of_bounds(f"{param}.rate", "integer", f"{side} {PCM_RATE}", audio_format.rate)
    return audio_format


def check_modalities(modalities: list[Modality], param: str) -> list[Modality]:
    """Return the modalities; raises `ProtocolError` unless they are one of the two that the protocol allows."""
    if modalities not in (["audio"], ["text"]):
        raise invalid_modalities(param, list(modalities))
    return modalities


def check_voice(voice: object, voices: tuple[str, ...], param: str) -> str:
    """Return the voice's name; raises `ProtocolError` unless the engine has it."""
    if not isinstance(voice, str) or voice not in voices:
        name = voice if isinstance(voice, str) else getattr(voice, "id", voice)
        raise invalid_value(param, name, voices)
    return voice


def _only_listening(session: RealtimeSession, params: TranscriptionSessionParams) -> RealtimeSession:
    asked = given(given(params.audio, TranscriptionAudioParams()).input, None)
    return msgspec.structs.replace(
        session,
        include=_nullable(params.include, session.include, None),
        audio=SessionAudio(input=_input(session.audio.input, asked), output=session.audio.output),
    )


def _check_unserved(params: RealtimeSessionParams) -> None:
    if given(params.prompt, None) is not None:
        raise _refused("session.prompt", "This endpoint stores no prompts; send instructions.")


def _tools(
    session: RealtimeSession, params: RealtimeSessionParams, limits: ToolLimits
) -> tuple[list[Tool], ToolChoice]:
    tools = _nullable(params.tools, session.tools, [])
    if tools is not session.tools:
        check_tools(tools, "session.tools", limits)
    choice = given(params.tool_choice, session.tool_choice)
    check_choice(choice, tools, "session.tool_choice")
    return tools, choice


def _refused(param: str, why: str) -> ProtocolError:
    return ProtocolError(f"Invalid value for '{param}'. {why}", code="invalid_value", param=param)


def _instructions(current: str, wanted: str | UnsetType | None) -> str:
    if isinstance(wanted, UnsetType):
        return current
    return wanted or DEFAULT_INSTRUCTIONS


def _nullable(wanted: T | UnsetType | None, current: T, null: T) -> T:
    if isinstance(wanted, UnsetType):
        return current
    return null if wanted is None else wanted


def _input(current: AudioInput, params: AudioInputParams | None) -> AudioInput:
    if params is None:
        return current
    return AudioInput(
        format=check_format(given(params.format, current.format), "session.audio.input.format"),
        transcription=current.transcription
        if params.transcription is UNSET
        else _transcription(current.transcription, given(params.transcription, None)),
        noise_reduction=current.noise_reduction
        if params.noise_reduction is UNSET
        else _noise_reduction(current.noise_reduction, given(params.noise_reduction, None)),
        turn_detection=current.turn_detection
        if params.turn_detection is UNSET
        else _turn_detection(current.turn_detection, given(params.turn_detection, None)),
    )


def _transcription(current: Transcription | None, params: TranscriptionParams | None) -> Transcription | None:
    if params is None:
        return None
    base = current or DEFAULT_TRANSCRIPTION
    return Transcription(
        model=given(params.model, base.model),
        language=_nullable(params.language, base.language, None),
        prompt=_nullable(params.prompt, base.prompt, None),
        delay=params.delay if params.delay is not UNSET else base.delay,
        keywords=params.keywords if params.keywords is not UNSET else base.keywords,
        languages=params.languages if params.languages is not UNSET else base.languages,
    )


def _noise_reduction(current: NoiseReduction | None, params: NoiseReduction | None) -> NoiseReduction | None:
    if params is None or current is None or params.strength is not UNSET:
        return params
    return NoiseReduction(type=params.type, strength=current.strength)


def _turn_detection(
    current: TurnDetection | None, params: ServerVadParams | SemanticVadParams | None
) -> TurnDetection | None:
    """Change what is named: null is the default, and another kind of detection begins with its defaults."""
    if params is None:
        return None
    base = SemanticVad() if isinstance(params, SemanticVadParams) else ServerVad()
    defaults = {name: getattr(base, name) for name in base.__struct_fields__}
    if type(current) is type(base):
        base = current
    asked = {name: getattr(params, name) for name in params.__struct_fields__}
    changes = {name: given(value, defaults[name]) for name, value in asked.items() if value is not UNSET}
    return msgspec.structs.replace(base, **changes)


def _output(
    current: AudioOutput, params: AudioOutputParams | None, *, voices: tuple[str, ...], spoke: bool
) -> AudioOutput:
    if params is None:
        return current
    voice = check_voice(given(params.voice, current.voice), voices, "session.audio.output.voice")
    if spoke and voice != current.voice:
        raise cannot_update_voice()
    return AudioOutput(
        format=check_format(given(params.format, current.format), "session.audio.output.format"),
        voice=voice,
        speed=given(params.speed, current.speed),
    )
