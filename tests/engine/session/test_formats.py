import base64

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.session.driver import Driver, types, user
from vivavoce.engine.session import effects, inputs, listening
from vivavoce.engine.session.formats import decode, decoder, encode, encoder, samples
from vivavoce.errors import AudioError
from vivavoce.protocol.session import AudioPcm, AudioPcma, AudioPcmu

PCM, PCMU, PCMA = AudioPcm(), AudioPcmu(), AudioPcma()
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
    assert len(joined) == (2 * total if audio_format is PCM else -(-total // 3))


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


LAWS = [("audio/pcmu", PCMU), ("audio/pcma", PCMA)]


@pytest.mark.parametrize(("name", "law"), LAWS)
class TestSession:
    def test_says_which_it_is(self, name, law):
        driver = telephone(name)
        audio = driver.events[-1]["session"]["audio"]
        assert audio["input"]["format"] == audio["output"]["format"] == {"type": name}

    def test_each_direction_has_its_own(self, name, law):
        driver = Driver(audio={"output": {"format": {"type": name}}})
        assert driver.events[-1]["session"]["audio"]["input"]["format"] == {
            "type": "audio/pcm",
            "rate": 24_000,
        }
        driver.client("input_audio_buffer.append", audio=base64_of(bytes(4800)))
        driver.client("input_audio_buffer.commit")
        assert driver.last(effects.Recognise).pcm.size == 2400

    @settings(deadline=None)
    @given(lengths=st.lists(st.integers(1, 900), min_size=1, max_size=8))
    def test_chunks_join_and_keep_the_time(self, name, law, lengths):
        driver = telephone(name, turn_detection=None)
        data = encode(tone(3 * (sum(lengths) + 800)), law)
        for piece in pieces(data, lengths):
            driver.client("input_audio_buffer.append", audio=base64_of(piece))
        committed = driver.client("input_audio_buffer.commit")[0]
        assert driver.last(effects.Recognise).pcm.tolist() == decode(data, law).tolist()
        (retrieved,) = driver.client("conversation.item.retrieve", item_id=committed["item_id"])
        again = base64.b64decode(retrieved["item"]["content"][0]["audio"])
        assert len(again) == len(data)
        assert np.abs(decode(again, law) - decode(data, law).astype(int)).max() < 1500

    def test_a_tenth_of_a_second_can_be_committed_and_less_not(self, name, law):
        driver = telephone(name, turn_detection=None)
        driver.client("input_audio_buffer.append", audio=base64_of(bytes(799)))
        (refused,) = driver.client("input_audio_buffer.commit")
        assert "only has 99.88ms" in refused["error"]["message"]
        driver.client("input_audio_buffer.append", audio=base64_of(bytes(1)))
        assert driver.client("input_audio_buffer.commit")[0]["type"] == "input_audio_buffer.committed"

    def test_what_is_held_back_counts_where_the_buffer_is_full(self, name, law, monkeypatch):
        monkeypatch.setattr(listening, "BUFFER_LIMIT_S", 1)
        driver = telephone(name, turn_detection=None)
        assert driver.client("input_audio_buffer.append", audio=base64_of(bytes(8000))) == []
        (refused,) = driver.client("input_audio_buffer.append", audio=base64_of(bytes(1)))
        assert "at most 1 seconds" in refused["error"]["message"]

    def test_a_refused_commit_does_not_cut_the_stream(self, name, law):
        driver = telephone(name, turn_detection=None)
        data = encode(tone(4800), law)
        driver.client("input_audio_buffer.append", audio=base64_of(data[:400]))
        driver.client("input_audio_buffer.commit")
        driver.client("input_audio_buffer.append", audio=base64_of(data[400:]))
        driver.client("input_audio_buffer.commit")
        assert driver.last(effects.Recognise).pcm.tolist() == decode(data, law).tolist()

    def test_the_clock_counts_time_not_bytes(self, name, law):
        driver = telephone(name)
        for probability in (0.0, 0.9, 0.0):
            driver.client("input_audio_buffer.append", audio=base64_of(bytes(16 * 512)))
            driver.tell(inputs.VoiceHeard(driver.last(effects.Listen).listening, [probability] * 32))
        started, stopped = (e for e in driver.events if "speech" in e["type"])
        assert started["audio_start_ms"] == 1024 - 300
        assert stopped["audio_end_ms"] == 2048 + 224
        heard = sum(work.pcm.size for work in driver.all(effects.Listen))
        assert heard == 3 * 16 * 512 * 3 - 48, "the filter holds back the last 2 ms"

    def test_the_format_can_change_in_mid_stream(self, name, law):
        driver = Driver(audio={"input": {"turn_detection": None}})
        whole = tone(7200)
        stretches = [(PCM, {"type": "audio/pcm"}), (law, {"type": name}), (PCM, {"type": "audio/pcm"})]
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

    def test_what_is_cleared_took_its_time(self, name, law):
        driver = telephone(name, turn_detection=None)
        driver.client("input_audio_buffer.append", audio=base64_of(bytes(8000)))
        driver.client("input_audio_buffer.clear")
        audio = {"input": {"turn_detection": {"type": "server_vad", "prefix_padding_ms": 0}}}
        driver.client("session.update", session={"type": "realtime", "audio": audio})
        driver.client("input_audio_buffer.append", audio=base64_of(bytes(4000)))
        driver.tell(inputs.VoiceHeard(driver.last(effects.Listen).listening, [0.9] * 4))
        assert driver.events[-1]["audio_start_ms"] == 1000

    def test_answers_are_spoken_in_it_without_clicks(self, name, law):
        driver = telephone(name)
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
        assert done["audio"]["output"]["format"] == {"type": name}
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

    def test_a_single_response_can_have_it(self, name, law):
        driver = Driver()
        driver.client("conversation.item.create", item=user("Sing."))
        driver.client("response.create", response={"audio": {"output": {"format": {"type": name}}}})
        driver.write("Aah. ")
        driver.speak(0.5)
        assert driver.events[-2]["response"]["audio"]["output"]["format"] == {"type": name}
        assert said(driver.events, law).size == 12_000
        deltas = [e["delta"] for e in driver.events if e["type"] == "response.output_audio.delta"]
        assert sum(len(base64.b64decode(delta)) for delta in deltas) == 4000

    def test_an_answer_that_is_cut_off_gives_what_it_held_back(self, name, law):
        driver = telephone(name)
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
