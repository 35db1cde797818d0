import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.client.conversation_item import ConversationItem, Part
from vivavoce.client.kept_audio import KeptAudio

SECOND = 48_000


def test_none_is_kept_unless_it_is_asked_for():
    audio, part = KeptAudio(False), Part()
    audio.add(part, bytes(SECOND))
    assert not audio.any
    assert part.audio == b""


def test_all_is_kept_for_who_asks_for_all():
    audio, part = KeptAudio(True), Part()
    for _ in range(100):
        audio.add(part, bytes(SECOND))
    assert len(part.audio) == 100 * SECOND


def test_the_oldest_goes_first():
    audio, parts = KeptAudio(1.5), [Part(), Part()]
    audio.add(parts[0], b"a" * SECOND)
    audio.add(parts[1], b"b" * SECOND)
    assert parts[0].audio == b"a" * (SECOND // 2)
    assert parts[1].audio == b"b" * SECOND
    audio.add(parts[1], b"c" * SECOND)
    assert parts[0].audio == b""
    assert parts[1].audio == b"b" * (SECOND // 2) + b"c" * SECOND


def test_a_cut_is_where_it_would_have_been_had_all_been_kept():
    audio, part = KeptAudio(1), Part()
    audio.add(part, b"a" * SECOND + b"b" * SECOND)
    audio.cut(part, 1500)
    assert part.audio == b"b" * (SECOND // 2)
    audio.cut(part, 500)
    assert part.audio == b""


def test_telephone_audio_is_smaller():
    audio, part = KeptAudio(1), Part()
    audio.bytes_per_ms = 8
    audio.add(part, bytes(SECOND))
    assert len(part.audio) == 8000


def test_what_is_forgotten_makes_room():
    audio, item, other = KeptAudio(1), ConversationItem("a"), Part()
    audio.add(item.part(0), bytes(SECOND))
    audio.forget(item)
    audio.add(other, bytes(SECOND))
    assert len(other.audio) == SECOND


def test_a_replacement_counts_once():
    audio, part, other = KeptAudio(1), Part(), Part()
    for _ in range(2):
        audio.replace(part, bytes(SECOND // 2))
    audio.add(other, bytes(SECOND // 2))
    assert len(part.audio) == SECOND // 2


def test_less_than_nothing_cannot_be_kept():
    with pytest.raises(ValueError, match="got -1"):
        KeptAudio(-1)


STEPS = st.lists(
    st.tuples(st.sampled_from(["add", "cut", "replace", "forget"]), st.integers(0, 3), st.integers(0, 4000)),
    max_size=40,
)


@given(STEPS)
def test_what_is_kept_is_an_end_of_each_part_and_never_too_much(steps):
    audio, items = KeptAudio(0.02), [ConversationItem(str(n)) for n in range(4)]
    whole = [b""] * 4
    for number, (step, which, size) in enumerate(steps):
        part, sound = items[which].part(0), bytes([number]) * size
        match step:
            case "add":
                audio.add(part, sound)
                whole[which] += sound
            case "replace":
                audio.replace(part, sound)
                whole[which] = sound
            case "cut":
                audio.cut(part, size // 48)
                whole[which] = whole[which][: size // 48 * 48]
            case "forget":
                audio.forget(items[which])
                whole[which] = b""
        assert sum(len(item.audio) for item in items) <= 960
        for item, all_of_it in zip(items, whole, strict=True):
            assert all_of_it.endswith(item.audio)
