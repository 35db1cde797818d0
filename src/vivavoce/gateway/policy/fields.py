"""The fields of a session, by their paths: which there are, and which of them somebody names. Pure."""

import typing
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import msgspec

from vivavoce.protocol.responses import ResponseCreateParams
from vivavoce.protocol.session_params import RealtimeSessionParams, TranscriptionSessionParams

__all__ = ["SHORT", "named", "paths", "spelt_out"]

SHORT = {
    "voice": "audio.output.voice",
    "speed": "audio.output.speed",
    "turn_detection": "audio.input.turn_detection",
    "transcription": "audio.input.transcription",
    "noise_reduction": "audio.input.noise_reduction",
}
"""What fields may be called for short: as the beta called most of them."""


def spelt_out(field: str) -> str:
    """Return the whole path of a field."""
    return SHORT.get(field, field)


@cache
def paths() -> frozenset[str]:
    """Return the paths of all fields that a session or a response may be asked for."""
    found: set[str] = set()
    for struct in (RealtimeSessionParams, TranscriptionSessionParams, ResponseCreateParams):
        found.update(_paths(struct))
    return frozenset(found)


def named(value: Any, fields: Iterable[str]) -> str | None:
    """Return the first of ``fields``, whole paths, that a JSON object names, itself or something beneath it.

    An object that is null or no object where one is expected names all beneath it.
    """
    for field in fields:
        here = value
        for name in field.split("."):
            if not isinstance(here, Mapping):
                return field
            if name not in here:
                break
            here = here[name]
        else:
            return field
    return None


def _paths(struct: Any, above: str = "") -> Iterable[str]:
    for field in msgspec.structs.fields(struct):
        path = f"{above}{field.encode_name}"
        yield path
        for inner in _structs(field.type):
            yield from _paths(inner, f"{path}.")


def _structs(kind: Any) -> Iterable[type[msgspec.Struct]]:
    """Yield the structs that a value of this type may be; those in lists are no fields."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield kind
    elif typing.get_origin(kind) is not list and typing.get_origin(kind) is not dict:
        for argument in typing.get_args(kind):
            yield from _structs(argument)
