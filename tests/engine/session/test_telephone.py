"""Sessions whose client speaks and hears telephone audio."""

import base64

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.session.driver import Driver, types, user
from vivavoce.audio.formats import PCM, PCMA, PCMU, decode, encode
from vivavoce.engine.session import effects, inputs, listening


def tone(count, hertz=440, level=8000):
    return (level * np.sin(np.arange(count) * 2 * np.pi * hertz / 24_000)).astype(np.int16)


def pieces(whole, lengths):
    """Cut into pieces of these lengths, and the rest."""
    for length in lengths:
        yield whole[:length]
        whole = whole[length:]
    yield whole


def base64_of(data):
    return base64.b64encode(data).decode()


def telephone(law, **session):
    """Return a session whose client sends and receives this format."""
    audio = {"input": {"format": {"type": law}, **session}, "output": {"format": {"type": law}}}
    return Driver(audio=audio)


def said(events, law):
    """Return the speech in events, as samples."""
    deltas = [e["delta"] for e in events if e["type"] == "response.output_audio.delta"]
    return decode(b"".join(map(base64.b64decode, deltas)), law)


@pytest.mark.parametrize("law", [PCMU, PCMA])
class TestSession:
    def test_says_which_it_is(self, law):
        driver = telephone(law)
        audio = driver.events[-1]["session"]["audio"]
        assert audio["input"]["format"] == audio["output"]["format"] == {"type": law}

    def test_each_direction_has_its_own(self, law):
        driver = Driver(audio={"output": {"format": {"type": law}}})
        assert driver.events[-1]["session"]["audio"]["input"]["format"] == {
            "type": "audio/pcm",
            "rate": 24_000,
        }
        driver.client("input_audio_buffer.append", audio=base64_of(bytes(4800)))
        driver.client("input_audio_buffer.commit")
        assert driver.last(effects.Recognise).pcm.size == 2400

    @settings(deadline=None)
    @given(lengths=st.lists(st.integers(1, 900), min_size=1, max_size=8))
    def test_chunks_join_and_keep_the_time(self, law, lengths):
        driver = telephone(law, turn_detection=None)
        data = encode(tone(3 * (sum(lengths) + 800)), law)
        for piece in pieces(data, lengths):
            driver.client("input_audio_buffer.append", audio=base64_of(piece))
        committed = driver.client("input_audio_buffer.commit")[0]
        assert driver.last(effects.Recognise).pcm.tolist() == decode(data, law).tolist()
        (retrieved,) = driver.client("conversation.item.retrieve", item_id=committed["item_id"])
        again = base64.b64decode(retrieved["item"]["content"][0]["audio"])
        assert len(again) == len(data)
        assert np.abs(decode(again, law) - decode(data, law).astype(int)).max() < 1500

    def test_a_tenth_of_a_second_can_be_committed_and_less_not(self, law):
        driver = telephone(law, turn_detection=None)
        driver.client("input_audio_buffer.append", audio=base64_of(bytes(799)))
        (refused,) = driver.client("input_audio_buffer.commit")
        assert "only has 99.88ms" in refused["error"]["message"]
        driver.client("input_audio_buffer.append", audio=base64_of(bytes(1)))
        assert driver.client("input_audio_buffer.commit")[0]["type"] == "input_audio_buffer.committed"

    def test_what_is_held_back_counts_where_the_buffer_is_full(self, law, monkeypatch):
        monkeypatch.setattr(listening, "BUFFER_LIMIT_S", 1)
        driver = telephone(law, turn_detection=None)
        assert driver.client("input_audio_buffer.append", audio=base64_of(bytes(8000))) == []
        (refused,) = driver.client("input_audio_buffer.append", audio=base64_of(bytes(1)))
        assert "at most 1 seconds" in refused["error"]["message"]

    def test_a_refused_commit_does_not_cut_the_stream(self, law):
        driver = telephone(law, turn_detection=None)
        data = encode(tone(4800), law)
        driver.client("input_audio_buffer.append", audio=base64_of(data[:400]))
        driver.client("input_audio_buffer.commit")
        driver.client("input_audio_buffer.append", audio=base64_of(data[400:]))
        driver.client("input_audio_buffer.commit")
        assert driver.last(effects.Recognise).pcm.tolist() == decode(data, law).tolist()

    def test_the_clock_counts_time_not_bytes(self, law):
        driver = telephone(law)
        for probability in (0.0, 0.9, 0.0):
            driver.client("input_audio_buffer.append", audio=base64_of(bytes(16 * 512)))
            driver.tell(inputs.VoiceHeard(driver.last(effects.Listen).listening, [probability] * 32))
        started, stopped = (e for e in driver.events if "speech" in e["type"])
        assert started["audio_start_ms"] == 1024 - 300
        assert stopped["audio_end_ms"] == 2048 + 224
        heard = sum(work.pcm.size for work in driver.all(effects.Listen))
        assert heard == 3 * 16 * 512 * 3 - 48, "the filter holds back the last 2 ms"

    def test_the_format_can_change_in_mid_stream(self, law):
        driver = Driver(audio={"input": {"turn_detection": None}})
        whole = tone(7200)
        stretches = [(PCM, {"type": "audio/pcm"}), (law, {"type": law}), (PCM, {"type": "audio/pcm"})]
        for index, (audio_format, asked) in enumerate(stretches):
            audio = {"input": {"format": asked}}
            driver.client("session.update", session={"type": "realtime", "audio": audio})
            data = encode(whole[index * 2400 : (index + 1) * 2400], audio_format)
            driver.client("input_audio_buffer.append", audio=base64_of(data))
        driver.client("input_audio_buffer.commit")
        heard = driver.last(effects.Recognise).pcm
        assert heard.size == 7200
        assert np.abs(heard - whole.astype(int))[2460:4740].max() < 1000, "each is where it belongs"
        assert np.delete(heard, slice(2400, 4800)).tolist() == np.delete(whole, slice(2400, 4800)).tolist()

    def test_what_is_cleared_took_its_time(self, law):
        driver = telephone(law, turn_detection=None)
        driver.client("input_audio_buffer.append", audio=base64_of(bytes(8000)))
        driver.client("input_audio_buffer.clear")
        audio = {"input": {"turn_detection": {"type": "server_vad", "prefix_padding_ms": 0}}}
        driver.client("session.update", session={"type": "realtime", "audio": audio})
        driver.client("input_audio_buffer.append", audio=base64_of(bytes(4000)))
        driver.tell(inputs.VoiceHeard(driver.last(effects.Listen).listening, [0.9] * 4))
        assert driver.events[-1]["audio_start_ms"] == 1000

    def test_answers_are_spoken_in_it_without_clicks(self, law):
        driver = telephone(law)
        driver.client("conversation.item.create", item=user("Sing."))
        driver.client("response.create")
        driver.write("Aah, ", "aah. ")
        number, song = driver.last(effects.Generate).generation, tone(24_000)
        for piece in pieces(song, [1, 4801, 333]):
            driver.tell(inputs.SpeechSynthesised(number, 0, piece))
        for clause in driver.all(effects.Synthesise):
            driver.tell(inputs.SpeechFinished(number, clause.clause))
        done = driver.events[-2]["response"]
        assert done["status"] == "completed"
        assert done["audio"]["output"]["format"] == {"type": law}
        heard = said(driver.events, law)
        assert heard.tolist() == decode(encode(song, law), law).tolist()
        item_id = done["output"][0]["id"]
        (retrieved,) = driver.client("conversation.item.retrieve", item_id=item_id)
        assert len(base64.b64decode(retrieved["item"]["content"][0]["audio"])) == 8000
        cut = {"item_id": item_id, "content_index": 0}
        (refused,) = driver.client("conversation.item.truncate", audio_end_ms=1001, **cut)
        assert refused["error"]["message"] == "Audio content of 1000ms is already shorter than 1001ms"
        driver.client("conversation.item.truncate", audio_end_ms=400, **cut)
        (retrieved,) = driver.client("conversation.item.retrieve", item_id=item_id)
        assert len(base64.b64decode(retrieved["item"]["content"][0]["audio"])) == 3200

    def test_a_single_response_can_have_it(self, law):
        driver = Driver()
        driver.client("conversation.item.create", item=user("Sing."))
        driver.client("response.create", response={"audio": {"output": {"format": {"type": law}}}})
        driver.write("Aah. ")
        driver.speak(0.5)
        assert driver.events[-2]["response"]["audio"]["output"]["format"] == {"type": law}
        assert said(driver.events, law).size == 12_000
        deltas = [e["delta"] for e in driver.events if e["type"] == "response.output_audio.delta"]
        assert sum(len(base64.b64decode(delta)) for delta in deltas) == 4000

    def test_an_answer_that_is_cut_off_gives_what_it_held_back(self, law):
        driver = telephone(law)
        driver.client("conversation.item.create", item=user("Sing."))
        driver.client("response.create")
        driver.write("Aah, aah. ", end=None)
        driver.tell(inputs.SpeechSynthesised(driver.last(effects.Generate).generation, 0, tone(2400)))
        driver.client("response.cancel")
        assert said(driver.events, law).size == 2400
        order = types(driver.events)
        assert order.index("response.output_audio.done") > order.index("response.output_audio.delta")


def test_a_rate_that_is_not_served_is_refused_of_a_response_too():
    driver = Driver()
    audio = {"output": {"format": {"type": "audio/pcm", "rate": 8000}}}
    (refused,) = driver.client("response.create", response={"audio": audio})
    assert refused["error"]["param"] == "response.audio.output.format.rate"
