import pytest

from vivavoce.errors import ProtocolError
from vivavoce.protocol import errors

KNOWN = [
    (
        errors.conversation_already_has_active_response("resp_X"),
        "conversation_already_has_active_response",
        (
            "Conversation already has an active response in progress: resp_X. "
            "Wait until the response is finished before creating a new one."
        ),
    ),
    (
        errors.response_cancel_not_active(),
        "response_cancel_not_active",
        "Cancellation failed: no active response found",
    ),
    (
        errors.commit_empty(0),
        "input_audio_buffer_commit_empty",
        (
            "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, "
            "but buffer only has 0.00ms of audio."
        ),
    ),
    (
        errors.item_delete_invalid_item_id("X"),
        "item_delete_invalid_item_id",
        "Error deleting item: the item with id 'X' does not exist.",
    ),
    (
        errors.item_retrieve_invalid_item_id("X"),
        "item_retrieve_invalid_item_id",
        "Error retrieving item: the item with id 'X' does not exist.",
    ),
    (
        errors.item_create_invalid_previous_item_id("X"),
        "item_create_invalid_previous_item_id",
        "Error adding item: the previous item with id 'X' does not exist.",
    ),
    (
        errors.only_output_audio_can_be_truncated(),
        "unsupported_content_type",
        "Only model output audio messages can be truncated",
    ),
    (
        errors.audio_already_shorter(3700, 3760),
        "invalid_value",
        "Audio content of 3700ms is already shorter than 3760ms",
    ),
    (
        errors.cannot_update_voice(),
        "cannot_update_voice",
        "Cannot update a conversation's voice if assistant audio is present.",
    ),
    (
        errors.session_expired(),
        "session_expired",
        "Your session hit the maximum duration of 60 minutes.",
    ),
    (
        errors.binary_frame(),
        "invalid_event",
        "Expected a text WebSocket message; binary frames are not supported.",
    ),
    (
        errors.beta_api_shape_disabled(),
        "beta_api_shape_disabled",
        "The Realtime Beta API is no longer supported. Please use /v1/realtime for the GA API.",
    ),
    (
        errors.transcription_update_not_allowed(),
        "invalid_parameter",
        "Passing a transcription session update event to a realtime session is not allowed.",
    ),
]


@pytest.mark.parametrize(("error", "code", "message"), KNOWN, ids=[code for _, code, _ in KNOWN])
def test_known_errors_speak_as_openai_does(error, code, message):
    assert isinstance(error, ProtocolError)
    assert (error.type, error.code, error.message) == ("invalid_request_error", code, message)
    assert error.event_id is None


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.item_truncate_invalid_item_id("X"), "item_truncate_invalid_item_id"),
        (errors.item_create_duplicate_item_id("X"), "item_create_duplicate_item_id"),
        (errors.buffer_full(30), "invalid_value"),
        (errors.invalid_audio("audio", "X is no base64"), "invalid_value"),
    ],
)
def test_errors_in_our_own_words_name_their_object(error, code):
    assert error.code == code
    assert "X" in error.message or "30 seconds" in error.message


def test_one_kind_of_session_does_not_become_the_other():
    there, back = errors.transcription_update_not_allowed(), errors.realtime_update_not_allowed()
    swapped = there.message.replace("a transcription", "a _").replace("a realtime", "a transcription")
    assert back.message == swapped.replace("a _", "a realtime")
    assert (back.code, back.param) == (there.code, there.param)


def test_a_refused_key_is_not_repeated_whole():
    assert errors.invalid_api_key("sk-abcdefghijklmnop").message == "Incorrect API key provided: sk-a…op."
    assert errors.invalid_api_key("secret").message == "Incorrect API key provided: ***."
    assert errors.invalid_api_key("secret").code == "invalid_api_key"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([], ""),
        (["a"], "'a'"),
        (["a", "b"], "'a' and 'b'"),
        (["a", 2, "c"], "'a', 2, and 'c'"),
        (["x" * 101], f"'{'x' * 100}…'"),
    ],
)
def test_lists_are_said_in_words(values, said):
    assert errors.listing(values) == said
