import pytest

from vivavoce.engine.models.spoken import audible_text, foreign_voices, unmarked
from vivavoce.protocol.session import VOICES


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("**Bold**,  and\n`code`.", "Bold , and code ."),
        ("See https://example.org/a?b=c now", "See now"),
        ("Grüße aus 東京!", "Grüße aus 東京!"),
        ("🙂 …", ""),
        ("***", ""),
        ("7", "7"),
    ],
)
def test_what_is_said(text, said):
    assert audible_text(text) == said


def test_markup_has_no_sound():
    assert unmarked("# Title").strip() == "Title"


def test_foreign_voices_have_the_protocols_names():
    namesakes, one = foreign_voices(None, "tts-1"), foreign_voices("af_heart", "kokoro")
    assert tuple(namesakes) == tuple(one) == VOICES
    assert namesakes["ash"].description == "ash of tts-1"
    assert {voice.description for voice in one.values()} == {"af_heart of kokoro"}
