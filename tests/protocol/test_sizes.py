import base64
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.protocol.sizes import APPENDED, SPOKEN, audio_size, item_of

FIELDS = st.dictionaries(
    st.text(max_size=8).filter(lambda name: name not in {"audio", "delta", "item_id"}), st.text()
)


@settings(deadline=None)
@given(st.binary(max_size=300), FIELDS, FIELDS, st.sampled_from([APPENDED, SPOKEN]), st.booleans())
def test_counts_what_decoding_would_find(data, before, after, field, compact):
    name = field.decode().strip('"')
    event = {**before, name: base64.b64encode(data).decode(), **after}
    separators = (",", ":") if compact else None
    assert audio_size(json.dumps(event, separators=separators).encode(), field) == len(data)


def test_a_field_that_ends_alike_is_another():
    event = {'x"audio': "AAAAAAAA", 'x"item_id': "nobody", "audio": "AAAA", "item_id": "item_7"}
    assert audio_size(json.dumps(event).encode(), APPENDED) == 3
    assert item_of(json.dumps(event).encode()) == "item_7"


def test_a_slash_may_have_a_backslash():
    event = json.dumps({"audio": base64.b64encode(b"\xff" * 30).decode()}).replace("/", "\\/")
    assert "\\/" in event
    assert audio_size(event.encode(), APPENDED) == 30


def test_what_has_no_audio_counts_for_nothing():
    assert audio_size(b'{"type": "input_audio_buffer.append"}', APPENDED) == 0
    assert audio_size(b'{"audio": "AAAA', APPENDED) == 0
    assert audio_size(b'{"audio": ""}', APPENDED) == 0


@settings(deadline=None)
@given(FIELDS, FIELDS)
def test_finds_the_item(before, after):
    assert item_of(json.dumps({**before, "item_id": "item_7", **after}).encode()) == "item_7"


def test_an_event_may_have_no_item():
    assert item_of(b'{"type": "session.created"}') == ""
