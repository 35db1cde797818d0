"""What is speech and what is not, through all that hears: the real voice detector, the session, the recognisers.

A detector may take some noise for speech; then there are no words in it, and nobody answers.
"""

import base64
import json

import numpy as np
import pytest

from vivavoce.audio import formats
from vivavoce.audio.pcm import from_pcm16, to_pcm16
from vivavoce.audio.resample import Resampler, resample
from vivavoce.engine.models.protocols import MODEL_RATE
from vivavoce.engine.session import effects, inputs
from vivavoce.engine.session.machine import WIRE_RATE, Session
from vivavoce.protocol.session import AudioPcm, AudioPcma, AudioPcmu

pytestmark = pytest.mark.models

SECONDS = 5
TIME = np.arange(SECONDS * WIRE_RATE) / WIRE_RATE


def noise(low, high, seed=0):
    """Noise between two frequencies, at full scale."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(0, 1, len(TIME)))
    frequencies = np.fft.rfftfreq(len(TIME), 1 / WIRE_RATE)
    spectrum[(frequencies < low) | (frequencies > high)] = 0
    sound = np.fft.irfft(spectrum, len(TIME))
    return sound / np.abs(sound).max()


def struck(every, decay):
    """An envelope that starts anew every so many seconds."""
    return np.exp(-(TIME % every) / decay)


def note(hertz, harmonics=6):
    return sum(np.sin(2 * np.pi * hertz * n * TIME) / n for n in range(1, harmonics + 1))


def chords():
    steps = [(262, 330, 392), (220, 262, 330), (175, 220, 262), (196, 247, 294)]
    each = [sum(map(note, step)) for step in steps]
    which = (TIME / 0.6).astype(int) % len(steps)
    return 0.08 * np.choose(which, each) * struck(0.6, 0.4)


def melody():
    tones = np.array([392, 440, 494, 523, 494, 440, 392, 330])
    hertz = tones[(TIME / 0.35).astype(int) % len(tones)] * (1 + 0.01 * np.sin(2 * np.pi * 5.5 * TIME))
    phase = 2 * np.pi * np.cumsum(hertz) / WIRE_RATE
    return 0.3 * (np.sin(phase) + 0.4 * np.sin(2 * phase) + 0.2 * np.sin(3 * phase)) * struck(0.35, 0.5)


def band():
    kick = np.sin(2 * np.pi * 60 * TIME) * struck(0.5, 0.08)
    hat = noise(6000, 11_000) * struck(0.25, 0.03)
    snare = noise(800, 6000) * struck(1.0, 0.08)
    return 0.5 * kick + 0.15 * hat + 0.3 * snare + 0.5 * chords()


def clicks():
    generator, sound = np.random.default_rng(3), np.zeros(len(TIME))
    for at in generator.integers(0, len(TIME) - 200, 40):
        sound[at : at + 100] += (
            generator.uniform(0.2, 0.8) * generator.normal(0, 1, 100) * np.exp(-np.arange(100) / 20)
        )
    return np.clip(sound, -1, 1)


def breath():
    return 0.08 * noise(300, 4000) * np.maximum(0, np.sin(2 * np.pi * TIME / 2.5)) ** 2


def gusts():
    return 0.4 * noise(20, 500) * (0.5 + 0.5 * np.sin(2 * np.pi * TIME / 1.7))


def cough():
    return 0.6 * noise(200, 5000) * struck(2.5, 0.06)


def ringing():
    return 0.3 * (np.sin(2 * np.pi * 440 * TIME) + np.sin(2 * np.pi * 480 * TIME)) * ((TIME % 3) < 1.5)


def motor():
    return 0.15 * note(97, 20) + 0.05 * noise(50, 3000)


class Hearing:
    """A session that hears with real models, one event at a time."""

    def __init__(self, voice_activity, recogniser):
        self.voice_activity = voice_activity
        self.recogniser = recogniser
        self.streams = {}
        self.events = []
        self.answered = False
        self.machine = Session(
            model="gpt-realtime",
            voices=("alloy",),
            step_ms=voice_activity.step * 1000 // MODEL_RATE,
            budget_tokens=1000,
            expires_at=0,
        )

    async def take(self, happened):
        waiting = [happened]
        while waiting:
            for effect in self.machine.take(waiting.pop(0)):
                match effect:
                    case effects.Send(event):
                        self.events.append(event)
                    case effects.Listen(number, pcm):
                        if number not in self.streams:
                            self.streams[number] = (
                                Resampler(WIRE_RATE, MODEL_RATE),
                                self.voice_activity.open(),
                            )
                        resampler, stream = self.streams[number]
                        heard = await stream.push(resampler.push(from_pcm16(pcm)))
                        waiting.append(inputs.VoiceHeard(number, heard))
                    case effects.Recognise(number, pcm, final):
                        audio = resample(from_pcm16(pcm), WIRE_RATE, MODEL_RATE)
                        effort = "final" if final else "partial"
                        words = await self.recogniser.transcribe(audio, effort=effort)
                        waiting.append(inputs.Recognised(number, len(pcm), final, words))
                    case effects.Generate():
                        self.answered = True

    async def hear(self, sound, detection, *, kind="realtime", spoken=None):
        """Append the sound and a second of silence, in a format; without detection, commit them."""
        heard = {"transcription": {"model": "whisper-1"}, "turn_detection": detection}
        if spoken is not None:
            heard["format"] = {"type": spoken.type}
        await self.send("session.update", session={"type": kind, "audio": {"input": heard}})
        pcm = to_pcm16(np.concatenate([sound, np.zeros(WIRE_RATE)]))
        data = formats.encode(pcm, spoken.type if spoken else formats.PCM)
        step = len(data) * WIRE_RATE // 10 // len(pcm) // 2 * 2
        for start in range(0, len(data), step):
            chunk = base64.b64encode(data[start : start + step]).decode()
            await self.send("input_audio_buffer.append", audio=chunk)
        if detection is None:
            await self.send("input_audio_buffer.commit")

    async def send(self, name, **fields):
        await self.take(json.dumps({"type": name, **fields}))

    @property
    def words(self):
        return [
            text
            for event in self.events
            if event.type.startswith("conversation.item.input_audio_transcription")
            if (text := getattr(event, "transcript", "") or getattr(event, "delta", ""))
        ]


@pytest.fixture(params=["recogniser", "moonshine"])
def hearing(request, voice_activity):
    return Hearing(voice_activity, request.getfixturevalue(request.param))


SOUNDS = [chords, melody, band, clicks, breath, gusts, cough, ringing, motor]


@pytest.mark.parametrize("sound", SOUNDS, ids=lambda sound: sound.__name__)
@pytest.mark.parametrize("detection", [{"type": "server_vad"}, None], ids=["detected", "committed"])
async def test_has_no_words_and_no_answer(hearing, sound, detection):
    await hearing.hear(sound(), detection)
    assert hearing.words == []
    assert not hearing.answered


async def test_nor_has_what_is_taken_for_speech(hearing):
    await hearing.hear(3 * gusts(), {"type": "server_vad"})
    assert any(event.type == "input_audio_buffer.speech_started" for event in hearing.events)
    assert hearing.words == []
    assert not hearing.answered


@pytest.mark.parametrize("spoken", [AudioPcm(), AudioPcmu(), AudioPcma()], ids=lambda spoken: spoken.type)
async def test_speech_has_both_also_over_a_telephone(hearing, say, spoken):
    speech = resample(await say("What time is it in Rome?"), MODEL_RATE, WIRE_RATE)
    await hearing.hear(speech, {"type": "server_vad"}, spoken=spoken)
    assert "rome" in " ".join(hearing.words).lower()
    assert hearing.answered


async def test_a_transcription_writes_while_it_is_spoken_and_takes_nothing_back(hearing, say):
    text = "Yesterday I went to the market with my sister, and we bought apples, bread and cheese."
    speech = resample(await say(text), MODEL_RATE, WIRE_RATE)
    await hearing.hear(speech, None, kind="transcription")
    names = [event.type for event in hearing.events]
    delta, completed = (
        f"conversation.item.input_audio_transcription.{end}" for end in ("delta", "completed")
    )
    before = names[: names.index("input_audio_buffer.committed")]
    assert before.count(delta) >= 2
    told = "".join(event.delta for event in hearing.events if event.type == delta)
    assert names[-1] == completed
    assert told.startswith("Yesterday I went to the market")
    assert "apples" in hearing.events[-1].transcript
    assert not hearing.answered
