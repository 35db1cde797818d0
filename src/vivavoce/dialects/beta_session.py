"""The configuration of a session, and of a response, in the beta and in the protocol of today.

The beta has it flat, today it is a tree. `SESSION_PLACES` and `RESPONSE_PLACES` say where each field of the beta is
found now; fields that they do not name are called the same in both, or are unknown to both: these pass as they are,
and the endpoint judges them.
"""

import re
from collections.abc import Mapping
from typing import Any

from msgspec import UNSET, UnsetType

from vivavoce.protocol import errors
from vivavoce.protocol.session import PCM_RATE

__all__ = [
    "DEFAULT_TEMPERATURE",
    "FORMATS",
    "FORMAT_NAMES",
    "MAX_TEMPERATURE",
    "MIN_TEMPERATURE",
    "RESPONSE_PLACES",
    "SESSION_GONE",
    "SESSION_ONLY_TODAY",
    "SESSION_PLACES",
    "SPOKEN",
    "Place",
    "checked_temperature",
    "error_to_beta",
    "found",
    "param_to_beta",
    "response_to_ga",
    "session_to_beta",
    "session_to_ga",
    "value_to_beta",
]

Json = dict[str, Any]
Place = tuple[str, ...]

SESSION_PLACES: dict[str, Place] = {
    "modalities": ("output_modalities",),
    "voice": ("audio", "output", "voice"),
    "speed": ("audio", "output", "speed"),
    "output_audio_format": ("audio", "output", "format"),
    "input_audio_format": ("audio", "input", "format"),
    "input_audio_transcription": ("audio", "input", "transcription"),
    "input_audio_noise_reduction": ("audio", "input", "noise_reduction"),
    "turn_detection": ("audio", "input", "turn_detection"),
    "max_response_output_tokens": ("max_output_tokens",),
}
"""Where today's session has the fields of the beta's."""

SESSION_GONE = ("temperature", "client_secret")
"""What the beta's session has and today's has not."""

SESSION_ONLY_TODAY = ("type", "audio", "truncation", "prompt", "include", "reasoning", "parallel_tool_calls")
"""What today's session has and the beta's has not, besides what stands elsewhere."""

RESPONSE_PLACES: dict[str, Place] = {
    "modalities": ("output_modalities",),
    "voice": ("audio", "output", "voice"),
    "output_audio_format": ("audio", "output", "format"),
    "max_response_output_tokens": ("max_output_tokens",),
}
"""Where today's ``response.create`` has the fields of the beta's."""

FORMATS: dict[str, Json] = {
    "pcm16": {"type": "audio/pcm", "rate": PCM_RATE},
    "g711_ulaw": {"type": "audio/pcmu"},
    "g711_alaw": {"type": "audio/pcma"},
}
"""The formats of audio, by their names in the beta."""

FORMAT_NAMES = {form["type"]: name for name, form in FORMATS.items()}

SPOKEN = ["audio", "text"]
"""What the beta calls an answer that is spoken: its transcript counts as text."""

MIN_TEMPERATURE, MAX_TEMPERATURE, DEFAULT_TEMPERATURE = 0.6, 1.2, 0.8
"""What the beta allowed. There is no temperature today: it is checked, told again, and does nothing."""

NO_DETECTION = frozenset({"none", "disabled"})
"""What the earliest clients call turn detection that is off."""

_PATH = re.compile(r"(?<=')(?:session|response)\.[\w.\[\]]+(?=')")
"""A field that a message names."""


def checked_temperature(fields: Json, where: str) -> float | None:
    """Return the temperature that a client asks for, or None; raises `ProtocolError` for what the beta refused."""
    value = fields.get("temperature")
    if value is None:
        return None
    param = f"{where}.temperature"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise errors.invalid_type(param, "a decimal", "something else")
    if value < MIN_TEMPERATURE:
        raise errors.out_of_bounds(param, "decimal", f">= {MIN_TEMPERATURE}", value)
    if value > MAX_TEMPERATURE:
        raise errors.out_of_bounds(param, "decimal", f"<= {MAX_TEMPERATURE}", value)
    return float(value)


def session_to_ga(session: Any, kind: str = "realtime") -> Any:
    """Return what a client of the beta asks of a session as it is said today.

    ``kind`` is the session's ``type`` where it does not say it, as in the beta. Raises `ProtocolError` for audio
    formats that do not exist.
    """
    if not isinstance(session, dict):
        return session
    asked = {"type": kind} | {name: value for name, value in session.items() if name not in SESSION_GONE}
    if asked["type"] == "transcription":
        asked.pop("modalities", None)
    return _moved(asked, SESSION_PLACES, "session")


def response_to_ga(response: Any) -> Any:
    """Return what a client of the beta asks of a response as it is said today, but for its ``input``."""
    if not isinstance(response, dict):
        return response
    asked = {name: value for name, value in response.items() if name != "temperature"}
    return _moved(asked, RESPONSE_PLACES, "response")


def session_to_beta(session: Json, temperature: float) -> Json:
    """Return a server's session as the beta says it; ``temperature`` is what the beta shows and today has not."""
    elsewhere = {*SESSION_ONLY_TODAY, *(place[0] for place in SESSION_PLACES.values())}
    told = {name: value for name, value in session.items() if name not in elsewhere}
    for name, place in SESSION_PLACES.items():
        if (value := value_to_beta(name, found(session, place))) is not UNSET:
            told[name] = value
    if session.get("type") == "transcription":
        include = found(session, ("include",))
        return told if include is UNSET else {**told, "include": include}
    if isinstance(told.get("tools"), list):
        told["tools"] = [tool for tool in told["tools"] if _is_function(tool)]
    return {**told, "temperature": temperature}


def param_to_beta(param: str) -> str:
    """Return the path of a field of today, such as ``session.audio.output.voice``, as the beta has it."""
    where, _, path = param.partition(".")
    places = {"session": SESSION_PLACES, "response": RESPONSE_PLACES}.get(where, {})
    for name, place in places.items():
        today = ".".join(place)
        if path == today or path.startswith((f"{today}.", f"{today}[")):
            return f"{where}.{name}{path.removeprefix(today)}"
    return param


def error_to_beta(error: Json) -> Json:
    """Return the ``error`` of an event with the names of the beta in it."""
    told = dict(error)
    if isinstance(told.get("param"), str):
        told["param"] = param_to_beta(told["param"])
    if isinstance(told.get("message"), str):
        told["message"] = _PATH.sub(lambda path: param_to_beta(path[0]), told["message"])
    return told


def _is_function(tool: Any) -> bool:
    return isinstance(tool, dict) and tool.get("type") == "function"


def _moved(fields: Json, places: Mapping[str, Place], where: str) -> Json:
    """Return ``fields`` with each of those that ``places`` name put there."""
    moved = {name: value for name, value in fields.items() if name not in places}
    for name, place in places.items():
        if name in fields:
            _put(moved, place, _asked(name, fields[name], f"{where}.{name}"))
    return moved


def _put(tree: Json, place: Place, value: Any) -> None:
    *way, last = place
    for step in way:
        inner = tree.get(step)
        tree[step] = tree = dict(inner) if isinstance(inner, dict) else {}
    tree[last] = value


def found(tree: Any, place: Place) -> Any | UnsetType:
    """Return what stands at this place of a tree, or `UNSET` where there is nothing."""
    for step in place:
        if not isinstance(tree, dict) or step not in tree:
            return UNSET
        tree = tree[step]
    return tree


def _asked(name: str, value: Any, param: str) -> Any:
    """Return the value of a client's field as it is said today."""
    match name, value:
        case "modalities", list() if "audio" in value:
            return ["audio"]
        case "input_audio_format" | "output_audio_format", str():
            if value not in FORMATS:
                raise errors.invalid_value(param, value, FORMATS)
            return FORMATS[value]
        case "turn_detection", str():  # as the first guides to the reference client wrote it
            return None if value in NO_DETECTION else {"type": value}
    return value


def value_to_beta(name: str, value: Any) -> Any:
    """Return the value of a server's field ``name`` as the beta says it, or `UNSET` where it has no word for it."""
    match name, value:
        case "modalities", list() if "audio" in value:
            return SPOKEN
        case "input_audio_format" | "output_audio_format", dict():
            return FORMAT_NAMES.get(str(value.get("type")), UNSET)
        case "turn_detection", dict():
            return {field: each for field, each in value.items() if field != "idle_timeout_ms"}
        case "input_audio_transcription", dict():
            return {field: value[field] for field in ("model", "language", "prompt") if field in value}
        case "input_audio_noise_reduction", dict():
            return {"type": value.get("type")}
        case "voice", dict():
            return value.get("id", UNSET)
    return value
