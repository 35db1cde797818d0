import asyncio
import sys

import numpy as np
import pytest

from tests.audio.doubles import FakeSoundDevice
from vivavoce.audio.devices import QUEUE_FRAMES, Microphone, Speaker, load_sounddevice
from vivavoce.audio.resample import resample
from vivavoce.errors import AudioDeviceError


def tone(rate, seconds):
    return (0.5 * np.sin(2 * np.pi * 440 * np.arange(round(rate * seconds)) / rate)).astype(np.float32)


class TestMicrophone:
    @pytest.mark.parametrize("rate", [24_000, 44_100, 48_000])
    async def test_it_yields_frames_of_40_ms_at_the_rate_asked_for(self, rate):
        sounddevice = FakeSoundDevice(rate)
        async with Microphone(24_000, sounddevice=sounddevice) as microphone:
            sounddevice.input.hear(tone(rate, 1))
            frames = [await anext(microphone) for _ in range(24)]
        assert {len(frame) for frame in frames} == {960}
        whole = resample(tone(rate, 1), rate, 24_000)
        assert np.array_equal(np.concatenate(frames), whole[: 24 * 960])

    async def test_what_nobody_takes_is_lost_from_its_beginning(self):
        sounddevice = FakeSoundDevice(24_000)
        seconds = (QUEUE_FRAMES + 10) * 0.04
        sound = tone(24_000, seconds)
        async with Microphone(24_000, sounddevice=sounddevice) as microphone:
            for start in range(0, len(sound), 9600):
                sounddevice.input.hear(sound[start : start + 9600])
                await asyncio.sleep(0)
            first = await anext(microphone)
        assert microphone.lost == 10
        assert np.array_equal(first, sound[9600:10_560])

    async def test_while_the_event_loop_stands_still_no_more_is_kept(self):
        sounddevice = FakeSoundDevice(24_000)
        sound = tone(24_000, (QUEUE_FRAMES + 10) * 0.04)
        async with Microphone(24_000, sounddevice=sounddevice) as microphone:
            sounddevice.input.hear(sound)
            first = await anext(microphone)
        assert microphone.lost == 0
        assert np.array_equal(first, sound[9600:10_560])

    async def test_leaving_it_frees_the_device(self):
        sounddevice = FakeSoundDevice()
        async with Microphone(sounddevice=sounddevice):
            assert sounddevice.input.state == "running"
        assert sounddevice.input.state == "closed"

    async def test_a_device_that_does_not_start_is_an_error(self):
        with pytest.raises(AudioDeviceError, match="input device does not start: Device unavailable"):
            async with Microphone(sounddevice=FakeSoundDevice(busy=True)):
                pass


class TestSpeaker:
    async def test_it_plays_without_gaps_at_the_rate_of_the_device(self):
        sounddevice = FakeSoundDevice(48_000)
        async with Speaker(24_000, sounddevice=sounddevice) as speaker:
            for start in range(0, 24_000, 960):
                speaker.play(tone(24_000, 1)[start : start + 960])
            out = sounddevice.output.play(45)
        whole = resample(tone(24_000, 1), 24_000, 48_000)
        assert np.array_equal(out, whole[: len(out)])

    async def test_what_was_heard_is_counted_without_what_is_under_way(self):
        sounddevice = FakeSoundDevice(48_000)
        async with Speaker(24_000, sounddevice=sounddevice) as speaker:
            sounddevice.output.latency = 0.1
            speaker.play(tone(24_000, 1))
            assert speaker.heard == 0
            sounddevice.output.play(5)
            assert speaker.heard == 0  # the first 100 ms are under way
            sounddevice.output.play(20)
            assert speaker.heard == pytest.approx(24_000 * 0.4, abs=1)

    async def test_in_the_end_all_was_heard(self):
        sounddevice = FakeSoundDevice(44_100)
        async with Speaker(24_000, sounddevice=sounddevice) as speaker:
            sounddevice.output.latency = 0.1
            speaker.play(tone(24_000, 1))
            sounddevice.output.play(52)
            assert 0 < speaker.heard < 24_000
            sounddevice.output.play(10)
            assert speaker.heard == 24_000

    async def test_cleared_it_is_silent_and_counts_anew(self):
        sounddevice = FakeSoundDevice(48_000)
        async with Speaker(24_000, sounddevice=sounddevice) as speaker:
            speaker.play(tone(24_000, 5))
            sounddevice.output.play(10)
            speaker.clear()
            assert speaker.heard == 0
            out = sounddevice.output.play(10)
            assert not out[300:].any()
            assert speaker.heard == 0
            speaker.play(tone(24_000, 1))
            sounddevice.output.play(10)
            assert speaker.heard == pytest.approx(24_000 * 0.2, abs=1)

    async def test_leaving_it_frees_the_device(self):
        sounddevice = FakeSoundDevice()
        async with Speaker(sounddevice=sounddevice):
            assert sounddevice.output.state == "running"
        assert sounddevice.output.state == "closed"


class TestMissing:
    @pytest.mark.parametrize(
        ("kind", "name", "device"), [("input", "microphone", Microphone), ("output", "loudspeaker", Speaker)]
    )
    def test_no_device_is_an_error_that_names_it(self, kind, name, device):
        with pytest.raises(AudioDeviceError, match=f"There is no {name} that can be used: Error querying"):
            device(sounddevice=FakeSoundDevice(missing={kind}))

    def test_a_device_that_is_not_there_is_named(self):
        with pytest.raises(
            AudioDeviceError, match="no microphone like 'Studio' that can be used: No input device"
        ):
            Microphone(device="Studio", sounddevice=FakeSoundDevice())

    def test_without_the_package_it_says_what_to_install(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "sounddevice", None)
        with pytest.raises(AudioDeviceError, match=r"pip install 'vivavoce\[devices\]'"):
            load_sounddevice()

    def test_without_portaudio_it_says_what_to_install(self, monkeypatch):
        def fail(name):
            raise OSError("PortAudio library not found")

        monkeypatch.setattr("importlib.import_module", fail)
        with pytest.raises(AudioDeviceError, match="libportaudio2"):
            load_sounddevice()

    def test_the_fake_has_what_the_real_one_has(self):
        try:
            real = load_sounddevice()
        except AudioDeviceError as error:
            pytest.skip(str(error))
        for name in ("InputStream", "OutputStream", "query_devices", "PortAudioError"):
            assert hasattr(real, name) == hasattr(FakeSoundDevice(), name)
