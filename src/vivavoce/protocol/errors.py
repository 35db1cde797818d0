"""The protocol's error codes, and its errors in the very words of OpenAI's servers where those are known.

Each function makes a `ProtocolError`; raise it. It knows no ``event_id``: whoever handles the client's event
fills that in. Messages that nobody has captured are in our own words, which each such function says.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from vivavoce.errors import ProtocolError

__all__ = [
    "BETA_API_SHAPE_DISABLED",
    "CANNOT_UPDATE_VOICE",
    "CONVERSATION_ALREADY_HAS_ACTIVE_RESPONSE",
    "INPUT_AUDIO_BUFFER_COMMIT_EMPTY",
    "INVALID_API_KEY",
    "INVALID_EVENT",
    "INVALID_JSON",
    "INVALID_PARAMETER",
    "INVALID_TYPE",
    "INVALID_VALUE",
    "ITEM_CREATE_DUPLICATE_ITEM_ID",
    "ITEM_CREATE_INVALID_PREVIOUS_ITEM_ID",
    "ITEM_DELETE_INVALID_ITEM_ID",
    "ITEM_RETRIEVE_INVALID_ITEM_ID",
    "ITEM_TRUNCATE_INVALID_ITEM_ID",
    "MISSING_REQUIRED_PARAMETER",
    "RESPONSE_CANCEL_NOT_ACTIVE",
    "SESSION_EXPIRED",
    "UNKNOWN_PARAMETER",
    "UNSUPPORTED_CONTENT_TYPE",
    "audio_already_shorter",
    "beta_api_shape_disabled",
    "binary_frame",
    "buffer_full",
    "cannot_update_voice",
    "commit_empty",
    "conversation_already_has_active_response",
    "invalid_api_key",
    "invalid_audio",
    "invalid_json",
    "invalid_modalities",
    "invalid_type",
    "invalid_value",
    "item_create_duplicate_item_id",
    "item_create_invalid_previous_item_id",
    "item_delete_invalid_item_id",
    "item_retrieve_invalid_item_id",
    "item_truncate_invalid_item_id",
    "listing",
    "missing_required_parameter",
    "only_output_audio_can_be_truncated",
    "out_of_bounds",
    "realtime_update_not_allowed",
    "response_cancel_not_active",
    "session_expired",
    "transcription_update_not_allowed",
    "unknown_parameter",
]

BETA_API_SHAPE_DISABLED: Final = "beta_api_shape_disabled"
CANNOT_UPDATE_VOICE: Final = "cannot_update_voice"
CONVERSATION_ALREADY_HAS_ACTIVE_RESPONSE: Final = "conversation_already_has_active_response"
INPUT_AUDIO_BUFFER_COMMIT_EMPTY: Final = "input_audio_buffer_commit_empty"
INVALID_API_KEY: Final = "invalid_api_key"
INVALID_EVENT: Final = "invalid_event"
INVALID_JSON: Final = "invalid_json"
INVALID_PARAMETER: Final = "invalid_parameter"
INVALID_TYPE: Final = "invalid_type"
INVALID_VALUE: Final = "invalid_value"
ITEM_CREATE_DUPLICATE_ITEM_ID: Final = "item_create_duplicate_item_id"
ITEM_CREATE_INVALID_PREVIOUS_ITEM_ID: Final = "item_create_invalid_previous_item_id"
ITEM_DELETE_INVALID_ITEM_ID: Final = "item_delete_invalid_item_id"
ITEM_RETRIEVE_INVALID_ITEM_ID: Final = "item_retrieve_invalid_item_id"
ITEM_TRUNCATE_INVALID_ITEM_ID: Final = "item_truncate_invalid_item_id"
MISSING_REQUIRED_PARAMETER: Final = "missing_required_parameter"
RESPONSE_CANCEL_NOT_ACTIVE: Final = "response_cancel_not_active"
SESSION_EXPIRED: Final = "session_expired"
UNKNOWN_PARAMETER: Final = "unknown_parameter"
UNSUPPORTED_CONTENT_TYPE: Final = "unsupported_content_type"

_LONGEST_ECHO = 100
"""Characters of a client's own value that an error repeats."""


def listing(values: Iterable[object]) -> str:
    """Say a list in words: ``'a'``, ``'a' and 'b'``, ``'a', 'b', and 'c'``."""
    said = [_quoted(value) for value in values]
    if len(said) <= 2:
        return " and ".join(said)
    return ", ".join(said[:-1]) + f", and {said[-1]}"


def _quoted(value: object) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    text = text if len(text) <= _LONGEST_ECHO else text[:_LONGEST_ECHO] + "…"
    return f"'{text}'" if isinstance(value, str) else text


# Events that cannot be read.


def invalid_json(reason: str) -> ProtocolError:
    """Refuse what is no JSON at all; the reason is in our own words."""
    return ProtocolError(f"Invalid event: failed to parse JSON value. {reason}.", code=INVALID_JSON)


def binary_frame() -> ProtocolError:
    """Refuse an event that came in a binary frame."""
    return ProtocolError(
        "Expected a text WebSocket message; binary frames are not supported.", code=INVALID_EVENT
    )


def missing_required_parameter(param: str) -> ProtocolError:
    """Refuse an event that lacks a field."""
    return ProtocolError(
        f"Missing required parameter: '{param}'.", code=MISSING_REQUIRED_PARAMETER, param=param
    )


def unknown_parameter(param: str) -> ProtocolError:
    """Refuse an event with a field that does not exist."""
    return ProtocolError(f"Unknown parameter: '{param}'.", code=UNKNOWN_PARAMETER, param=param)


def invalid_type(param: str | None, expected: str, got: str) -> ProtocolError:
    """Refuse a field of the wrong type; ``expected`` and ``got`` are words, such as "a string"."""
    subject = f" for '{param}'" if param else ""
    return ProtocolError(
        f"Invalid type{subject}: expected {expected}, but got {got} instead.", code=INVALID_TYPE, param=param
    )


def invalid_value(param: str, value: object, supported: Iterable[object]) -> ProtocolError:
    """Refuse a value that is none of those in a list."""
    return ProtocolError(
        f"Invalid value: {_quoted(value)}. Supported values are: {listing(supported)}.",
        code=INVALID_VALUE,
        param=param,
    )


def out_of_bounds(param: str, number: str, bound: str, value: object) -> ProtocolError:
    """Refuse an "integer" or a "decimal" outside of a bound, such as ">= 24000"."""
    side, code = ("above maximum", "above_max") if bound.startswith("<") else ("below minimum", "below_min")
    return ProtocolError(
        f"Invalid '{param}': {number} {side} value. Expected a value {bound}, but got {value} instead.",
        code=f"{number}_{code}_value",
        param=param,
    )


def invalid_modalities(param: str, modalities: list[str]) -> ProtocolError:
    """Refuse output modalities other than one of audio and text."""
    return ProtocolError(
        f"Invalid modalities: [{', '.join(map(_quoted, modalities))}]. "
        "Supported combinations are: ['text'] and ['audio'].",
        code=INVALID_VALUE,
        param=param,
    )


def invalid_audio(param: str, reason: str) -> ProtocolError:
    """Refuse audio that cannot be decoded, such as base64 that is none [our words]."""
    return ProtocolError(f"Invalid '{param}': {reason}.", code=INVALID_VALUE, param=param)


# The session.


def cannot_update_voice() -> ProtocolError:
    """Refuse another voice once the assistant has spoken."""
    return ProtocolError(
        "Cannot update a conversation's voice if assistant audio is present.", code=CANNOT_UPDATE_VOICE
    )


def transcription_update_not_allowed() -> ProtocolError:
    """Refuse to make a transcription session of a realtime session."""
    return _not_allowed("transcription", "realtime")


def realtime_update_not_allowed() -> ProtocolError:
    """Refuse to make a realtime session of a transcription session [our words]."""
    return _not_allowed("realtime", "transcription")


def _not_allowed(wanted: str, kind: str) -> ProtocolError:
    return ProtocolError(
        f"Passing a {wanted} session update event to a {kind} session is not allowed.",
        code=INVALID_PARAMETER,
        param="session.type",
    )


def session_expired(minutes: int = 60) -> ProtocolError:
    """Tell that the session has lasted as long as it may; close with 1001 and the same words after it."""
    return ProtocolError(f"Your session hit the maximum duration of {minutes} minutes.", code=SESSION_EXPIRED)


def beta_api_shape_disabled() -> ProtocolError:
    """Refuse the beta dialect; close with 4000 after it."""
    return ProtocolError(
        "The Realtime Beta API is no longer supported. Please use /v1/realtime for the GA API.",
        code=BETA_API_SHAPE_DISABLED,
    )


def invalid_api_key(key: str) -> ProtocolError:
    """Refuse a key, of which only the first and last characters are repeated."""
    shown = f"{key[:4]}…{key[-2:]}" if len(key) > 12 else "***"
    return ProtocolError(f"Incorrect API key provided: {shown}.", code=INVALID_API_KEY)


# The input audio buffer.


def commit_empty(milliseconds: float) -> ProtocolError:
    """Refuse to commit less than 100 ms of audio; the buffer is kept."""
    return ProtocolError(
        "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, "
        f"but buffer only has {milliseconds:.2f}ms of audio.",
        code=INPUT_AUDIO_BUFFER_COMMIT_EMPTY,
    )


def buffer_full(seconds: float) -> ProtocolError:
    """Refuse more audio than the buffer may hold [our words]."""
    return ProtocolError(
        f"Invalid 'audio': the input audio buffer holds at most {seconds:g} seconds. "
        "Commit or clear it before appending more.",
        code=INVALID_VALUE,
        param="audio",
    )


# The conversation.


def item_create_invalid_previous_item_id(item_id: str) -> ProtocolError:
    """Refuse to add an item behind one that does not exist."""
    return ProtocolError(
        f"Error adding item: the previous item with id {_quoted(item_id)} does not exist.",
        code=ITEM_CREATE_INVALID_PREVIOUS_ITEM_ID,
    )


def item_create_duplicate_item_id(item_id: str) -> ProtocolError:
    """Refuse a second item of the same id [our words]."""
    return ProtocolError(
        f"Error adding item: an item with id {_quoted(item_id)} already exists.",
        code=ITEM_CREATE_DUPLICATE_ITEM_ID,
    )


def item_delete_invalid_item_id(item_id: str) -> ProtocolError:
    """Refuse to delete an item that does not exist."""
    return ProtocolError(
        f"Error deleting item: the item with id {_quoted(item_id)} does not exist.",
        code=ITEM_DELETE_INVALID_ITEM_ID,
    )


def item_retrieve_invalid_item_id(item_id: str) -> ProtocolError:
    """Refuse to retrieve an item that does not exist."""
    return ProtocolError(
        f"Error retrieving item: the item with id {_quoted(item_id)} does not exist.",
        code=ITEM_RETRIEVE_INVALID_ITEM_ID,
    )


def item_truncate_invalid_item_id(item_id: str) -> ProtocolError:
    """Refuse to truncate an item that does not exist [our words]."""
    return ProtocolError(
        f"Error truncating item: the item with id {_quoted(item_id)} does not exist.",
        code=ITEM_TRUNCATE_INVALID_ITEM_ID,
    )


def only_output_audio_can_be_truncated() -> ProtocolError:
    """Refuse to truncate anything but the assistant's audio."""
    return ProtocolError("Only model output audio messages can be truncated", code=UNSUPPORTED_CONTENT_TYPE)


def audio_already_shorter(length_ms: int, audio_end_ms: int) -> ProtocolError:
    """Refuse to truncate audio behind its end."""
    return ProtocolError(
        f"Audio content of {length_ms}ms is already shorter than {audio_end_ms}ms", code=INVALID_VALUE
    )


# Responses.


def conversation_already_has_active_response(response_id: str) -> ProtocolError:
    """Refuse a second response of the default conversation at the same time."""
    return ProtocolError(
        f"Conversation already has an active response in progress: {response_id}. "
        "Wait until the response is finished before creating a new one.",
        code=CONVERSATION_ALREADY_HAS_ACTIVE_RESPONSE,
    )


def response_cancel_not_active() -> ProtocolError:
    """Refuse to cancel a response where none is active."""
    return ProtocolError("Cancellation failed: no active response found", code=RESPONSE_CANCEL_NOT_ACTIVE)
