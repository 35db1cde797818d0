import asyncio
from fractions import Fraction

import av
import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from tests.webrtc.buzz import buzz, packets
from vivavoce.webrtc.ear import Packet
from vivavoce.webrtc.media import MOST_WAITING, TAIL_FRAMES, Hearing, SpokenTrack, hear
from vivavoce.webrtc.playout import FRAME_SAMPLES

FRAME = np.full(FRAME_SAMPLES, 1000, np.int16)


class Given(MediaStreamTrack):
    """A track of frames that are there already."""

    kind = "audio"

    def __init__(self, frames):
        super().__init__()
        self._frames = list(frames)

    async def recv(self):
        if not self._frames:
            raise MediaStreamError
        return self._frames.pop(0)


def frame(pts, samples=960, value=1000):
    made = av.AudioFrame.from_ndarray(
        np.full((1, 2 * samples), value, np.int16), format="s16", layout="stereo"
    )
    made.sample_rate, made.pts, made.time_base = 48_000, pts, Fraction(1, 48_000)
    return made


async def heard_of(frames):
    heard = []
    await hear(Given(frames), heard.append)
    return np.concatenate(heard)


class TestSpeaking:
    async def test_goes_at_the_pace_of_speech(self):
        frames = [FRAME] * 10
        track = SpokenTrack(lambda: frames.pop() if frames else None)
        loop = asyncio.get_running_loop()
        began = loop.time()
        packets = [await track.recv() for _ in range(10)]
        assert loop.time() - began >= 0.179
        assert [packet.pts for packet in packets] == [960 * number for number in range(10)]

    async def test_is_silent_after_a_short_tail_until_there_is_more(self):
        frames = [FRAME]
        track = SpokenTrack(lambda: frames.pop() if frames else None)
        for _ in range(1 + TAIL_FRAMES):
            last = await track.recv()
        waiting = asyncio.create_task(track.recv())
        await asyncio.sleep(0.1)
        assert not waiting.done()
        frames.append(FRAME)
        track.wake()
        assert (await waiting).pts > last.pts + 960  # time has gone on meanwhile

    async def test_does_not_catch_up_after_it_was_held_up(self, monkeypatch):
        track = SpokenTrack(lambda: FRAME)
        await track.recv()
        track._due -= 5  # as if the machine had stood still for five seconds
        late = await track.recv()
        next_one = await track.recv()
        assert next_one.pts - late.pts == 960

    async def test_ends(self):
        track = SpokenTrack(lambda: None)
        waiting = asyncio.create_task(track.recv())
        await asyncio.sleep(0)
        track.stop()
        with pytest.raises(MediaStreamError):
            await waiting


class TestHearing:
    async def test_hears_mono_at_24_khz(self):
        pcm = await heard_of(frame(960 * number) for number in range(50))
        assert abs(len(pcm) - 24_000) < 100
        assert np.median(pcm) == 1000

    async def test_what_was_lost_is_silence(self):
        pcm = await heard_of([*(frame(960 * n) for n in range(10)), *(frame(960 * n) for n in range(15, 25))])
        assert abs(len(pcm) - 25 * FRAME_SAMPLES) < 100
        assert (pcm == 0).sum() >= 5 * FRAME_SAMPLES - 100

    async def test_a_long_gap_does_not_become_a_long_silence(self):
        pcm = await heard_of([frame(0), frame(48_000 * 3600)])
        assert len(pcm) < 3 * 24_000


class TestHearingOpus:
    SENT = packets(buzz(50))

    def take(self, hearing, kind=111):
        return [
            hearing.take(kind, Packet(number, 960 * number, data)) for number, data in enumerate(self.SENT)
        ]

    async def test_hears_opus_and_leaves_all_else(self):
        enough, pieces = asyncio.Event(), []

        def heard(pcm):
            pieces.append(pcm)
            if len(pieces) == len(self.SENT):
                enough.set()

        hearing = Hearing(heard)
        hearing.opus = frozenset({111})
        assert not any(self.take(hearing, kind=0))
        assert all(self.take(hearing))
        listening = asyncio.create_task(hearing.listen())
        await asyncio.wait_for(enough.wait(), 20)
        assert abs(np.concatenate(pieces).astype(int)).max() > 1000
        listening.cancel()

    async def test_no_more_waits_than_there_is_room_for(self):
        hearing = Hearing(lambda _: None)
        hearing.opus = frozenset({111})
        for _ in range(5):
            assert all(self.take(hearing))
        assert hearing._packets.qsize() == MOST_WAITING

    async def test_without_a_libopus_it_takes_nothing(self, monkeypatch, caplog):
        def none(_):
            raise OSError("no libopus")

        monkeypatch.setattr("vivavoce.webrtc.ear.OpusDecoder", none)
        caplog.set_level("INFO")
        hearing = Hearing(lambda _: None)
        hearing.opus = frozenset({111})
        assert not any(self.take(hearing))
        await hearing.listen()
        assert "heard as silence: no libopus" in caplog.text
