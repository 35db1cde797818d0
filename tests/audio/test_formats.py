import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.audio.formats import PCM, PCMA, PCMU, decode, decoder, encode, encoder, samples
from vivavoce.errors import AudioError

TELEPHONE = [PCMU, PCMA]
ALL = [PCM, *TELEPHONE]


def tone(count, hertz=440, level=8000):
    return (level * np.sin(np.arange(count) * 2 * np.pi * hertz / 24_000)).astype(np.int16)


def pieces(whole, lengths):
    """Cut into pieces of these lengths, and the rest."""
    for length in lengths:
        yield whole[:length]
        whole = whole[length:]
    yield whole


LENGTHS = st.lists(st.integers(0, 700), max_size=8)


@pytest.mark.parametrize("audio_format", ALL)
@settings(deadline=None)
@given(lengths=LENGTHS, total=st.integers(0, 3000))
def test_a_stream_comes_in_as_the_whole_would(audio_format, lengths, total):
    data = encode(tone(3 * total), audio_format)
    stream = decoder(audio_format)
    size, joined = 0, []
    for piece in pieces(data, [2 * length for length in lengths]):
        size += samples(len(piece), audio_format)
        joined += stream.push(piece).tolist()
        assert len(joined) + stream.pending == size, "what is held back is known to the sample"
    joined += stream.flush().tolist()
    assert joined == decode(data, audio_format).tolist()
    assert len(joined) == 3 * total
    assert stream.pending == 0


@pytest.mark.parametrize("audio_format", ALL)
@settings(deadline=None)
@given(lengths=LENGTHS, total=st.integers(0, 3000))
def test_a_stream_goes_out_as_the_whole_would(audio_format, lengths, total):
    pcm = tone(total)
    stream = encoder(audio_format)
    joined = b"".join([*map(stream.push, pieces(pcm, lengths)), stream.flush()])
    assert joined == encode(pcm, audio_format)
    assert len(joined) == (2 * total if audio_format == PCM else -(-total // 3))


@pytest.mark.parametrize("audio_format", TELEPHONE)
def test_what_a_telephone_can_carry_comes_through_in_its_place(audio_format):
    pcm = tone(24_000)
    there_and_back = decode(encode(pcm, audio_format), audio_format)
    noise = np.float64(there_and_back[240:-240]) - pcm[240:-240]
    assert np.sqrt(np.mean(noise**2)) < 0.03 * 8000 / np.sqrt(2), "30 dB: G.711 itself has 38"


@pytest.mark.parametrize("audio_format", TELEPHONE)
def test_what_it_cannot_carry_is_filtered_not_folded(audio_format):
    data = encode(tone(24_000, hertz=6000), audio_format)
    assert np.abs(decode(data, audio_format)[240:-240]).max() < 80


def test_pcm_is_as_it_is():
    pcm = np.array([0, 1, -1, 32767, -32768], np.int16)
    assert encode(pcm, PCM) == b"\x00\x00\x01\x00\xff\xff\xff\x7f\x00\x80"
    assert decode(encode(pcm, PCM), PCM).tolist() == pcm.tolist()
    with pytest.raises(AudioError, match="got 3"):
        decode(b"abc", PCM)


@pytest.mark.parametrize(("audio_format", "silence"), [(PCMU, b"\xff"), (PCMA, b"\xd5")])
def test_each_law_is_its_own(audio_format, silence):
    assert encode(np.zeros(300, np.int16), audio_format) == 100 * silence


@pytest.mark.parametrize("audio_format", TELEPHONE)
def test_after_a_flush_a_new_stream_begins(audio_format):
    stream, data = decoder(audio_format), encode(tone(2400), audio_format)
    first = np.concatenate([stream.push(data), stream.flush()])
    again = np.concatenate([stream.push(data), stream.flush()])
    assert first.tolist() == again.tolist()
    assert stream.flush().tolist() == []


@pytest.mark.parametrize("take", [encoder, decoder, lambda name: samples(2, name)])
def test_a_format_that_is_unknown_is_refused(take):
    with pytest.raises(AudioError, match="audio/pcmu and audio/pcma, and got 'audio/opus'"):
        take("audio/opus")


@pytest.mark.parametrize("name", [PCM, PCMU])
@settings(deadline=None)
@given(
    lengths=LENGTHS, total=st.integers(0, 3000), rate=st.sampled_from([8000, 11_025, 16_000, 44_100, 48_000])
)
def test_a_stream_of_any_rate_goes_out_as_the_whole_would(name, lengths, total, rate):
    pcm = tone(total)
    whole, stream = encoder(name, rate), encoder(name, rate)
    joined = b"".join([*map(stream.push, pieces(pcm, lengths)), stream.flush()])
    assert joined == whole.push(pcm) + whole.flush()
    assert len(joined) == (-(-total * 24_000 // rate) * 2 if name == PCM else -(-total * 8000 // rate))
