import msgspec
import pytest

from vivavoce.client.prices import Price
from vivavoce.client.usage import Tokens, UsageMeter, cost
from vivavoce.protocol.usage import Usage

USAGE = msgspec.convert(
    {
        "total_tokens": 821,
        "input_tokens": 789,
        "output_tokens": 32,
        "input_token_details": {
            "text_tokens": 313,
            "audio_tokens": 476,
            "cached_tokens": 640,
            "cached_tokens_details": {"text_tokens": 256, "audio_tokens": 384},
        },
        "output_token_details": {"text_tokens": 9, "audio_tokens": 23},
    },
    Usage,
)


def test_cached_tokens_are_paid_once_and_for_less():
    meter = UsageMeter()
    meter.add(USAGE)
    # 57 text tokens at 4 dollars a million, 256 cached at 0.40, 92 of audio at 32, 384 cached at 0.40, 9 of text
    # written at 24, 23 spoken at 64.
    expected = (57 * 4 + 256 * 0.4 + 92 * 32 + 384 * 0.4 + 9 * 24 + 23 * 64) / 1e6
    assert meter.cost("gpt-realtime-2.1") == pytest.approx(expected)
    assert meter.cost("mine") is None


def test_responses_add_up():
    meter = UsageMeter()
    for _ in range(3):
        meter.add(USAGE)
    meter.add(None)
    assert meter.responses == 4
    assert (meter.tokens.input, meter.tokens.output) == (3 * 789, 3 * 32)
    assert meter.tokens.audio_cached == 3 * 384


def test_a_server_that_gives_no_details_is_believed_its_sums():
    meter = UsageMeter()
    meter.add(Usage(input_tokens=10, output_tokens=5, input_token_details=None, output_token_details=None))
    assert meter.tokens == Tokens(text=10, text_output=5)


def test_every_kind_has_its_price():
    kinds = list(Tokens.__slots__)
    price = Price(1, 10, 100, 1000, 10_000, 100_000, 1e6, 1e7)
    for kind in kinds:
        assert cost(Tokens(**{kind: 1_000_000}), price) != 0
