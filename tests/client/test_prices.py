import pytest

from vivavoce.client.prices import PRICES, price


@pytest.mark.parametrize("model", sorted(PRICES))
def test_snapshots_cost_what_their_model_does(model):
    assert price(model) is price(f"{model}-2026-07-01") is PRICES[model]


@pytest.mark.parametrize("model", ["", "gpt-realtime", "gpt-realtime-2.1-maxi", "qwen2.5-coder-1.5b"])
def test_others_are_unknown(model):
    assert price(model) is None


def test_what_is_cached_costs_less_and_speech_more():
    for one in PRICES.values():
        assert one.text_cached < one.text < one.text_output
        assert one.audio_cached < one.audio < one.audio_output
        assert one.image_cached < one.image
