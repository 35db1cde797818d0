import msgspec
import pytest

from vivavoce.protocol.usage import OutputTokenDetails, TranscriptionDuration, TranscriptionUsage, Usage


def test_counts_that_are_left_out_read_as_none_used():
    usage = msgspec.json.decode('{"total_tokens":7}', type=Usage)
    assert usage == Usage(total_tokens=7)
    assert usage.input_token_details is not None
    assert usage.input_token_details.cached_tokens == 0


def test_reasoning_tokens_are_sent_only_by_models_that_reason():
    assert msgspec.json.encode(OutputTokenDetails()) == b'{"text_tokens":0,"audio_tokens":0}'
    assert msgspec.to_builtins(OutputTokenDetails(reasoning_tokens=0))["reasoning_tokens"] == 0


@pytest.mark.parametrize("sent", ['{"type":"duration","seconds":3}', '{"type":"duration","seconds":3.5}'])
def test_whole_and_broken_seconds_stay_as_they_came(sent):
    usage = msgspec.json.decode(sent, type=TranscriptionUsage)
    assert isinstance(usage, TranscriptionDuration)
    assert msgspec.json.encode(usage).decode() == sent
