import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.models.samples import FLOATS, TONE, wav
from vivavoce.audio.resample import resample
from vivavoce.engine.models.pcm_stream import LONGEST_HEADER, SPEECH_RATE, PcmStream, SpeechStream
from vivavoce.errors import ModelError


def hear(stream, data, cuts=()):
    edges = [0, *sorted(cuts), len(data)]
    parts = [stream.push(data[start:end]) for start, end in itertools.pairwise(edges)]
    return np.concatenate([*parts, stream.flush()])


cuts = st.lists(st.integers(0, 6044), max_size=9)


class TestRaw:
    @given(cuts)
    def test_may_be_cut_anywhere(self, cuts):
        assert np.array_equal(hear(SpeechStream(), TONE.tobytes(), cuts), FLOATS)

    def test_half_a_sample_is_left_out(self):
        assert np.array_equal(hear(SpeechStream(), TONE.tobytes() + b"\x01"), FLOATS)

    def test_at_the_rate_that_its_type_names(self):
        heard = hear(SpeechStream("audio/L16; rate=16000"), TONE.tobytes())
        assert np.array_equal(heard, resample(FLOATS, 16_000, SPEECH_RATE))
        assert len(heard) == 4500

    def test_nothing_is_nothing(self):
        assert len(hear(SpeechStream(), b"")) == 0

    def test_two_channels_become_one(self):
        stereo = np.column_stack([TONE, np.zeros_like(TONE)]).tobytes()
        assert np.allclose(hear(PcmStream(SPEECH_RATE, 2), stereo, [3, 5, 6]), FLOATS / 2)

    @pytest.mark.parametrize(("rate", "channels"), [(0, 1), (-1, 1), (16_000, 0)])
    def test_no_rate_or_channel_is_refused(self, rate, channels):
        with pytest.raises(ModelError, match="Expected"):
            PcmStream(rate, channels)


class TestWav:
    @given(cuts)
    def test_may_be_cut_anywhere(self, cuts):
        assert np.array_equal(hear(SpeechStream(), wav(), cuts), FLOATS)

    def test_says_itself_what_it_is(self):
        assert np.array_equal(
            hear(SpeechStream("audio/pcm;rate=8000"), wav(rate=22_050)), resample(FLOATS, 22_050, SPEECH_RATE)
        )

    @pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF])
    def test_that_was_written_while_it_was_sent(self, size):
        file = bytearray(wav())
        file[40:44] = size.to_bytes(4, "little")
        assert np.array_equal(hear(SpeechStream(), bytes(file), [50]), FLOATS)

    def test_chunks_before_and_behind_the_sound_are_not_heard(self):
        file = wav()
        listed = file[:12] + b"LIST\x05\x00\x00\x00title\x00" + file[12:] + b"LIST\x04\x00\x00\x00more"
        assert np.array_equal(hear(SpeechStream(), listed, [17, 6070]), FLOATS)

    @pytest.mark.parametrize(
        ("file", "why"),
        [
            (wav(width=4), "16-bit PCM, and got format 1 with 32 bits"),
            (wav()[:12] + b"data\x04\x00\x00\x00abcd", "says what it holds"),
            (wav()[:12] + b"LIST\xff\xff\xff\x00", f"first {LONGEST_HEADER} bytes"),
            (wav()[:30], "beginning of a sound file"),
        ],
    )
    def test_of_another_kind_is_refused(self, file, why):
        with pytest.raises(ModelError, match=why):
            hear(SpeechStream(), file)
