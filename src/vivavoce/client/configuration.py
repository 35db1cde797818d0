"""A session's configuration by flat names, as people think of it: ``voice``, not ``audio.output.voice``. Pure."""

from collections.abc import Mapping
from typing import Any

import msgspec

from vivavoce.protocol.session_params import RealtimeSessionParams

__all__ = ["FIELDS", "session_changes"]

FIELDS: Mapping[str, tuple[str, ...]] = {
    "voice": ("audio", "output", "voice"),
    "speed": ("audio", "output", "speed"),
    "output_format": ("audio", "output", "format"),
    "input_format": ("audio", "input", "format"),
    "transcription": ("audio", "input", "transcription"),
    "noise_reduction": ("audio", "input", "noise_reduction"),
    "turn_detection": ("audio", "input", "turn_detection"),
} | {name: (name,) for name in RealtimeSessionParams.__struct_fields__ if name != "audio"}
"""Where in the protocol's session each name stands."""

_SHORT: Mapping[str, Mapping[str, str]] = {
    "turn_detection": {"type": "server_vad"},
    "transcription": {"model": "gpt-4o-mini-transcribe"},
    "noise_reduction": {"type": "near_field"},
}
"""What True means, for what has parts of its own; False and None turn it off."""


def session_changes(fields: Mapping[str, Any]) -> RealtimeSessionParams:
    """Make the ``session`` of a ``session.update`` of flat names (`FIELDS`).

    Values are as in the protocol; where that wants an object with a ``type`` (``turn_detection``, the formats) or a
    ``model`` (``transcription``) its name alone will do. Raises `TypeError` for a name or a value that cannot be.
    """
    made: dict[str, Any] = {"type": "realtime"}
    for name, value in fields.items():
        if name not in FIELDS:
            raise TypeError(f"A session has no {name!r}; it has {', '.join(sorted(FIELDS))}.")
        *path, last = FIELDS[name]
        at = made
        for step in path:
            at = at.setdefault(step, {})
        at[last] = _value(name, value)
    try:
        return msgspec.convert(made, RealtimeSessionParams)
    except msgspec.ValidationError as error:
        raise TypeError(f"The session cannot be so: {error}") from error


def _value(name: str, value: Any) -> Any:
    match name, value:
        case (("turn_detection" | "transcription" | "noise_reduction"), bool()):
            return dict(_SHORT[name]) if value else None
        case (("turn_detection" | "noise_reduction" | "input_format" | "output_format"), str()):
            return {"type": value}
        case "transcription", str():
            return {"model": value}
        case "tool_choice", str() if value not in ("auto", "none", "required"):
            return {"type": "function", "name": value}
        case _:
            return msgspec.to_builtins(value)
