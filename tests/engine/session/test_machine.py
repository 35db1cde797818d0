import base64

import pytest

from tests.engine.session.driver import Driver, types, user
from vivavoce.engine.session import effects, inputs

TEXT_ANSWER = [
    "response.created",
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "conversation.item.done",
    "response.output_item.done",
    "response.done",
    "rate_limits.updated",
]
CLOSING = [
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    "conversation.item.done",
    "response.output_item.done",
    "response.done",
    "rate_limits.updated",
]


def ask(driver, text="Hello"):
    driver.client("conversation.item.create", item=user(text))
    return driver.client("response.create")


def spoken_answer(driver):
    ask(driver)
    driver.write("Hello there. ", "How are you?")
    return driver.speak(1.0)


class TestText:
    def test_a_turn_has_the_order_of_the_wire(self):
        driver = Driver(output_modalities=["text"])
        created = driver.client("conversation.item.create", item=user("Hello"))
        assert types(created) == ["conversation.item.added", "conversation.item.done"]
        events = driver.client("response.create") + driver.write("Hi", " there.")
        assert types(events) == TEXT_ANSWER
        done = events[-2]["response"]
        assert done["status"] == "completed"
        assert done["output"][0]["content"] == [{"type": "output_text", "text": "Hi there."}]
        assert done["usage"]["input_token_details"]["cached_tokens"] == 30
        assert done["usage"]["total_tokens"] == done["usage"]["input_tokens"] + done["usage"]["output_tokens"]

    def test_the_conversation_is_in_the_next_prompt(self):
        driver = Driver(output_modalities=["text"], instructions="Be brief.")
        ask(driver, "My name is Ada.")
        driver.write("Nice to meet you.")
        ask(driver, "What is my name?")
        messages = driver.last(effects.Generate).prompt.messages
        assert [(m.role, m.text) for m in messages] == [
            ("system", "Be brief."),
            ("user", "My name is Ada."),
            ("assistant", "Nice to meet you."),
            ("user", "What is my name?"),
        ]

    def test_the_prefix_is_prepared_after_an_answer(self):
        driver = Driver(output_modalities=["text"])
        ask(driver)
        driver.write("Hi.")
        prepared = driver.last(effects.Prepare).prompt
        ask(driver, "And now?")
        generated = driver.last(effects.Generate).prompt
        assert generated.messages[: len(prepared.messages)] == prepared.messages

    def test_a_limit_ends_the_response_as_incomplete(self):
        driver = Driver(output_modalities=["text"])
        ask(driver)
        done = driver.write("And then", end="length")[-2]["response"]
        assert done["status"] == "incomplete"
        assert done["status_details"] == {"type": "incomplete", "reason": "max_output_tokens"}

    def test_an_answer_without_a_word_still_has_its_item(self):
        driver = Driver(output_modalities=["text"])
        ask(driver)
        done = driver.write()[-2]["response"]
        assert done["status"] == "completed"
        assert done["output"][0]["content"] == [{"type": "output_text", "text": ""}]

    def test_overrides_count_for_one_response(self):
        driver = Driver(output_modalities=["text"])
        driver.client("conversation.item.create", item=user("Hello"))
        created = driver.client(
            "response.create",
            response={"instructions": "Rhyme.", "max_output_tokens": 5, "metadata": {"a": "b"}},
        )[0]["response"]
        assert created["metadata"] == {"a": "b"}
        assert created["max_output_tokens"] == 5
        generate = driver.last(effects.Generate)
        assert generate.max_tokens == 5
        assert generate.prompt.messages[0].text == "Rhyme."


class TestSpeech:
    def test_clauses_are_spoken_as_they_are_complete(self):
        driver = Driver()
        ask(driver)
        driver.write("Hello there. ", "How are", end=None)
        assert [s.text for s in driver.all(effects.Synthesise)] == ["Hello there. "]
        assert types(driver.speak())[-1] == "response.output_audio.delta"
        driver.write(" you?")
        assert [s.text for s in driver.all(effects.Synthesise)] == ["Hello there. ", "How are you?"]
        assert types(driver.speak()) == ["response.output_audio.delta", *CLOSING]

    def test_nothing_is_lost_between_deltas(self):
        driver = Driver()
        spoken_answer(driver)
        audio = b"".join(
            base64.b64decode(e["delta"]) for e in driver.events if e["type"] == "response.output_audio.delta"
        )
        assert len(audio) == 2 * 2 * 24_000
        words = "".join(
            e["delta"] for e in driver.events if e["type"] == "response.output_audio_transcript.delta"
        )
        assert words == "Hello there. How are you?"
        done = driver.events[-2]["response"]["output"][0]["content"][0]
        assert done == {"type": "output_audio", "transcript": words}

    def test_the_voice_is_settled_once_it_was_heard(self):
        driver = Driver()
        spoken_answer(driver)
        refused = driver.client(
            "session.update",
            event_id="evt_1",
            session={
                "type": "realtime",
                "instructions": "New.",
                "audio": {"output": {"voice": "marin"}},
            },
        )
        assert refused[0]["error"]["code"] == "cannot_update_voice"
        assert refused[0]["error"]["event_id"] == "evt_1"
        updated = driver.client("session.update", session={"type": "realtime"})[0]["session"]
        assert updated["instructions"] != "New."

    def test_a_model_that_fails_fails_the_response_and_nothing_else(self):
        driver = Driver()
        ask(driver)
        number = driver.last(effects.Generate).generation
        done = driver.tell(inputs.GenerationFailed(number, "out of memory"))
        assert done[-2]["response"]["status"] == "failed"
        assert done[-2]["response"]["status_details"]["error"]["message"] == "out of memory"
        spoken_answer(driver)
        assert driver.events[-2]["response"]["status"] == "completed"

    def test_retrieve_gives_the_audio_back(self):
        driver = Driver()
        spoken_answer(driver)
        item = driver.events[-2]["response"]["output"][0]
        retrieved = driver.client("conversation.item.retrieve", item_id=item["id"])[0]["item"]
        assert len(base64.b64decode(retrieved["content"][0]["audio"])) == 2 * 2 * 24_000


class TestCancel:
    def test_cancel_closes_what_is_open(self):
        driver = Driver()
        ask(driver)
        driver.write("Hello there. ", "How", end=None)
        driver.speak()
        events = driver.client("response.cancel")
        assert types(events) == CLOSING
        response = events[-2]["response"]
        assert response["status"] == "cancelled"
        assert response["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
        assert response["output"][0]["status"] == "incomplete"
        assert driver.last(effects.EndGeneration).generation == driver.last(effects.Generate).generation

    def test_nothing_of_a_cancelled_answer_comes_after_it(self):
        driver = Driver()
        ask(driver)
        driver.write("Hello there. ", end=None)
        driver.client("response.cancel")
        assert driver.write("How are you?") == []
        assert driver.speak() == []

    def test_cancel_before_the_first_word(self):
        driver = Driver()
        ask(driver)
        events = driver.client("response.cancel")
        assert types(events) == ["response.done", "rate_limits.updated"]
        assert events[0]["response"]["output"] == []

    def test_cancel_without_a_response(self):
        driver = Driver()
        error = driver.client("response.cancel", event_id="evt_x")[0]["error"]
        assert error["code"] == "response_cancel_not_active"
        assert error["event_id"] == "evt_x"

    def test_a_second_response_is_refused(self):
        driver = Driver()
        ask(driver)
        error = driver.client("response.create")[0]["error"]
        assert error["code"] == "conversation_already_has_active_response"


class TestTruncate:
    def test_what_was_not_heard_is_not_remembered(self):
        driver = Driver()
        spoken_answer(driver)
        item_id = driver.events[-2]["response"]["output"][0]["id"]
        events = driver.client(
            "conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=1600
        )
        assert types(events) == ["conversation.item.truncated"]
        ask(driver, "What did you say?")
        assert driver.last(effects.Generate).prompt.messages[-2].text == "Hello there. How"
        retrieved = driver.client("conversation.item.retrieve", item_id=item_id)[0]["item"]
        assert len(base64.b64decode(retrieved["content"][0]["audio"])) == 1600 * 48

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"audio_end_ms": 2001}, "Audio content of 2000ms is already shorter than 2001ms"),
            ({"content_index": 1}, "Only model output audio messages can be truncated"),
            ({"item_id": "item_none"}, "Error truncating item: the item with id 'item_none' does not exist."),
        ],
    )
    def test_what_cannot_be_truncated(self, change, message):
        driver = Driver()
        spoken_answer(driver)
        item_id = driver.events[-2]["response"]["output"][0]["id"]
        fields = {"item_id": item_id, "content_index": 0, "audio_end_ms": 1000, **change}
        assert driver.client("conversation.item.truncate", **fields)[0]["error"]["message"] == message


class TestVoiceTurn:
    TURN = (
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
    )

    def test_a_turn_has_the_order_of_the_wire(self):
        driver = Driver(audio={"input": {"transcription": {"model": "whisper-1"}}})
        driver.hear((1.0, 0.0), (1.5, 0.9), (0.1, 0.0))
        driver.recognise("What time is it?")
        events = driver.hear((0.2, 0.0))
        assert types(events) == [
            *self.TURN[1:],
            "conversation.item.input_audio_transcription.delta",
            "conversation.item.input_audio_transcription.completed",
            "response.created",
        ]
        started = driver.events[2]
        assert started["type"] == "input_audio_buffer.speech_started"
        assert started["audio_start_ms"] == 31 * 32 - 300
        assert {e["item_id"] for e in driver.events if "item_id" in e} == {started["item_id"]}
        completed = next(e for e in events if e["type"].endswith("completed"))
        assert completed["transcript"] == "What time is it?"
        assert types(driver.write("Noon.") + driver.speak())[-1] == "rate_limits.updated"

    def test_speech_before_the_words_are_known(self):
        driver = Driver()
        events = driver.hear((0.5, 0.0), (1.0, 0.9), (0.4, 0.0))
        assert types(events) == list(self.TURN)
        events = driver.recognise("Hello.")
        assert types(events) == ["response.created"]
        assert driver.last(effects.Generate).prompt.messages[-1].text == "Hello."

    def test_thinking_ahead_is_adopted_when_the_turn_ends(self):
        driver = Driver()
        driver.hear((0.5, 0.0), (1.0, 0.9), (0.1, 0.0))
        assert driver.recognise("Hello.") == []
        assert driver.write("Hi ", "there. ", "What now?", end=None) == []
        assert driver.speak() == []
        events = driver.hear((0.2, 0.0))
        assert types(events)[-6:] == [
            "response.created",
            "response.output_item.added",
            "conversation.item.added",
            "response.content_part.added",
            "response.output_audio_transcript.delta",
            "response.output_audio.delta",
        ]
        assert len(driver.all(effects.Generate)) == 1

    def test_thinking_ahead_is_dropped_when_the_speaker_goes_on(self):
        driver = Driver()
        driver.hear((0.5, 0.0), (1.0, 0.9), (0.1, 0.0))
        driver.recognise("Turn on the light")
        driver.write("Sure. ", end=None)
        trial = driver.last(effects.Generate).generation
        assert driver.hear((0.5, 0.9)) == []
        assert driver.last(effects.EndGeneration).generation == trial
        driver.hear((0.1, 0.0))
        driver.recognise("Turn on the light in the kitchen.")
        events = driver.hear((0.2, 0.0)) + driver.write("Done.") + driver.speak()
        assert not [e for e in events if "Sure" in str(e)]
        assert driver.last(effects.Generate).prompt.messages[-1].text == "Turn on the light in the kitchen."
        assert len([e for e in driver.events if e["type"] == "response.done"]) == 1

    def test_a_cough_gets_no_answer(self):
        driver = Driver(audio={"input": {"transcription": {"model": "whisper-1"}}})
        driver.hear((0.5, 0.0), (0.3, 0.9), (0.4, 0.0))
        events = driver.recognise("")
        assert types(events) == ["conversation.item.input_audio_transcription.completed"]
        assert driver.all(effects.Generate) == []

    def test_speaking_interrupts_the_answer(self):
        driver = Driver()
        ask(driver)
        driver.write("Hello there. ", end=None)
        driver.speak()
        events = driver.hear((0.5, 0.0), (0.2, 0.9))
        assert types(events) == ["input_audio_buffer.speech_started", *CLOSING]
        details = events[-2]["response"]["status_details"]
        assert details == {"type": "cancelled", "reason": "turn_detected"}

    def test_an_answer_that_may_not_be_interrupted_is_finished_first(self):
        detection = {"type": "server_vad", "interrupt_response": False}
        driver = Driver(audio={"input": {"turn_detection": detection}})
        ask(driver)
        driver.write("Hello there. ", end=None)
        number = driver.last(effects.Generate).generation
        driver.hear((0.5, 0.0), (1.0, 0.9), (0.4, 0.0))
        driver.recognise("Stop.")
        assert types(driver.events)[-1] == "conversation.item.done"
        driver.speak()
        driver.tell(inputs.GenerationFinished(number, driver_finished()))
        assert types(driver.events)[-3:] == ["response.done", "rate_limits.updated", "response.created"]

    def test_without_create_response_the_client_asks(self):
        detection = {"type": "server_vad", "create_response": False}
        driver = Driver(audio={"input": {"turn_detection": detection}})
        driver.hear((0.5, 0.0), (1.0, 0.9), (0.4, 0.0))
        assert driver.recognise("Hello.") == []
        assert types(driver.client("response.create")) == ["response.created"]

    def test_partial_words_come_while_speaking_and_are_never_taken_back(self):
        driver = Driver(audio={"input": {"transcription": {"model": "whisper-1"}}})
        driver.hear((0.5, 0.0), (0.4, 0.9))
        assert driver.recognise("What is the") == []
        driver.hear((0.4, 0.9))
        events = driver.recognise("What is the time in")
        assert [e["delta"] for e in events] == ["What is"]
        driver.hear((0.4, 0.9))
        driver.recognise("What is the time in Rome")
        driver.hear((0.1, 0.0))
        driver.recognise("What is the time in Rome?")
        events = driver.hear((0.3, 0.0))
        deltas = [e["delta"] for e in driver.events if e["type"].endswith("transcription.delta")]
        completed = next(e for e in events if e["type"].endswith("transcription.completed"))
        assert "".join(deltas) == completed["transcript"] == "What is the time in Rome?"

    def test_the_model_reads_along_while_somebody_speaks(self):
        driver = Driver(instructions="Be brief.")
        driver.hear((0.5, 0.0), (0.4, 0.9))
        driver.recognise("What is the")
        driver.hear((0.4, 0.9))
        driver.recognise("What is the time in")
        prepared = driver.last(effects.Prepare).prompt
        assert prepared.unfinished
        assert prepared.messages[-1].text == "What is"

    def test_a_recogniser_that_fails_costs_the_words_only(self):
        driver = Driver(audio={"input": {"transcription": {"model": "whisper-1"}}})
        driver.hear((0.5, 0.0), (1.0, 0.9), (0.4, 0.0))
        asked = driver.last(effects.Recognise)
        events = driver.tell(inputs.RecognitionFailed(asked.utterance, len(asked.pcm), True, "no memory"))
        assert types(events) == ["conversation.item.input_audio_transcription.failed"]
        assert types(driver.hear((0.5, 0.0), (1.0, 0.9)))[0] == "input_audio_buffer.speech_started"

    @pytest.mark.parametrize(
        "session",
        [
            {"instructions": "Rhyme."},
            {"audio": {"input": {"noise_reduction": {"type": "near_field"}}}},
            {"audio": {"input": {"transcription": {"language": "en"}}}},
            {"audio": {"input": {"turn_detection": {"type": "server_vad"}}}},
            {"audio": {"input": {"turn_detection": {"type": "server_vad", "threshold": 0.6}}}},
            {"audio": {"input": {"turn_detection": {"type": "server_vad", "interrupt_response": False}}}},
            {"audio": {"input": {"format": {"type": "audio/pcmu"}}}},
            {"include": ["item.input_audio_transcription.logprobs"]},
        ],
    )
    def test_an_update_while_somebody_speaks_upsets_no_turn(self, session):
        driver = Driver()
        started = driver.hear((0.96, 0.0), (0.96, 0.9))[-1]
        (updated,) = driver.client("session.update", session={"type": "realtime", **session})
        assert updated["type"] == "session.updated"
        listening = driver.last(effects.Listen).listening
        for probability in (0.9, 0.0):
            driver.tell(inputs.VoiceHeard(listening, [probability] * 10))
        (stopped,) = (e for e in driver.events if e["type"] == "input_audio_buffer.speech_stopped")
        assert started["type"] == "input_audio_buffer.speech_started"
        assert stopped["item_id"] == started["item_id"]
        assert stopped["audio_end_ms"] == 60 * 32 + 10 * 32 + 7 * 32

    def test_answers_of_an_old_listening_are_dropped(self):
        driver = Driver()
        driver.append(1.0)
        old = driver.last(effects.Listen).listening
        driver.client(
            "session.update", session={"type": "realtime", "audio": {"input": {"turn_detection": None}}}
        )
        assert driver.tell(inputs.VoiceHeard(old, [0.9] * 20)) == []


class TestSemanticTurns:
    def paused(self, text):
        driver = Driver(audio={"input": {"turn_detection": {"type": "semantic_vad", "eagerness": "medium"}}})
        driver.hear((0.5, 0.0), (1.0, 0.9), (0.1, 0.0))
        driver.recognise(text)
        assert driver.last(effects.Judge).text == text
        return driver

    def test_a_turn_that_is_complete_ends_soon(self):
        driver = self.paused("What time is it?")
        driver.judge(0.9)
        assert "input_audio_buffer.speech_stopped" in types(driver.hear((0.35, 0.0)))

    def test_a_turn_that_is_not_may_go_on(self):
        driver = self.paused("I would like to")
        driver.judge(0.1)
        assert driver.hear((0.8, 0.0), (0.3, 0.9)) == []
        driver.hear((0.1, 0.0))
        driver.recognise("I would like to know the time.")
        driver.judge(0.9)
        events = driver.hear((0.35, 0.0))
        assert types(events)[0] == "input_audio_buffer.speech_stopped"
        assert driver.last(effects.Generate).prompt.messages[-1].text == "I would like to know the time."

    def test_silence_has_the_last_word(self):
        driver = self.paused("I would like to")
        driver.judge(0.0)
        assert "input_audio_buffer.speech_stopped" in types(driver.hear((1.6, 0.0)))

    def test_a_judgement_on_an_earlier_pause_does_not_count(self):
        driver = self.paused("Turn on the light.")
        early = driver.last(effects.Judge)
        driver.hear((0.3, 0.9), (0.1, 0.0))
        driver.tell(inputs.Judged(early.utterance, len(early.pcm), 0.99))
        assert driver.hear((0.5, 0.0)) == []


def driver_finished():
    from vivavoce.engine.models.protocols import Finished

    return Finished("stop", 40, 5, 0)


class TestPushToTalk:
    def driver(self):
        return Driver(audio={"input": {"turn_detection": None}})

    def test_a_turn_has_the_order_of_the_wire(self):
        driver = self.driver()
        driver.append(1.0)
        events = driver.client("input_audio_buffer.commit")
        assert types(events) == [
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.done",
        ]
        assert types(driver.client("response.create")) == ["response.created"]
        assert driver.all(effects.Generate) == []
        driver.recognise("Hello?")
        assert driver.last(effects.Generate).prompt.messages[-1].text == "Hello?"

    def test_too_little_audio_is_kept(self):
        driver = self.driver()
        driver.append(0.05)
        error = driver.client("input_audio_buffer.commit", event_id="evt_c")[0]["error"]
        assert error["code"] == "input_audio_buffer_commit_empty"
        assert error["event_id"] == "evt_c"
        assert "50.00ms" in error["message"]
        driver.append(0.05)
        assert types(driver.client("input_audio_buffer.commit"))[0] == "input_audio_buffer.committed"

    def test_clear_forgets(self):
        driver = self.driver()
        driver.append(1.0)
        assert types(driver.client("input_audio_buffer.clear")) == ["input_audio_buffer.cleared"]
        error = driver.client("input_audio_buffer.commit")[0]["error"]
        assert error["code"] == "input_audio_buffer_commit_empty"

    def test_no_partial_transcripts_without_detection(self):
        driver = self.driver()
        driver.append(3.0)
        assert driver.all(effects.Recognise) == []
        assert driver.all(effects.Listen) == []


class TestItems:
    def test_items_go_where_they_are_told(self):
        driver = Driver()
        driver.client("conversation.item.create", item=user("b", id="b"))
        driver.client("conversation.item.create", item=user("a", id="a"), previous_item_id="root")
        events = driver.client("conversation.item.create", item=user("c", id="c"), previous_item_id="a")
        assert events[0]["previous_item_id"] == "a"
        driver.client("response.create")
        assert [m.text for m in driver.last(effects.Generate).prompt.messages[1:]] == ["a", "c", "b"]

    def test_delete(self):
        driver = Driver()
        driver.client("conversation.item.create", item=user("a", id="a"))
        assert types(driver.client("conversation.item.delete", item_id="a")) == ["conversation.item.deleted"]
        error = driver.client("conversation.item.delete", item_id="a")[0]["error"]
        assert error["code"] == "item_delete_invalid_item_id"

    def test_audio_that_comes_without_its_words_is_understood(self):
        driver = Driver(audio={"input": {"transcription": {"model": "whisper-1"}}})
        audio = base64.b64encode(bytes(48_000)).decode()
        content = [{"type": "input_text", "text": "Listen:"}, {"type": "input_audio", "audio": audio}]
        item = {"type": "message", "role": "user", "content": content}
        driver.client("conversation.item.create", item=item)
        assert types(driver.client("response.create")) == ["response.created"]
        events = driver.recognise("What time is it?")
        assert [(e["content_index"], e["transcript"]) for e in events if "transcript" in e] == [
            (1, "What time is it?")
        ]
        assert driver.last(effects.Generate).prompt.messages[-1].text == "Listen: What time is it?"

    def test_images_are_refused_with_a_reason(self):
        driver = Driver()
        content = [{"type": "input_image", "image_url": "data:image/png;base64,AAAA"}]
        item = {"type": "message", "role": "user", "content": content}
        error = driver.client("conversation.item.create", item=item)[0]["error"]
        assert error["param"] == "item.content[0].type"

    def test_the_oldest_items_make_room(self, monkeypatch):
        monkeypatch.setattr("vivavoce.engine.session.conversation.ITEMS_KEPT", 2)
        driver = Driver()
        for name in "abc":
            events = driver.client("conversation.item.create", item=user(name, id=name))
        assert events[-1]["type"] == "conversation.item.deleted"
        assert events[-1]["item_id"] == "a"


class TestBadInput:
    @pytest.mark.parametrize(
        ("data", "code", "param"),
        [
            (b"{", "invalid_json", None),
            (b'{"type": "session.frobnicate"}', "invalid_value", "type"),
            (b'{"event_id": "e"}', "missing_required_parameter", "type"),
            (b'{"type": "input_audio_buffer.append", "audio": 3}', "invalid_type", "audio"),
            (b'{"type": "input_audio_buffer.append", "audio": "%%%"}', "invalid_value", "audio"),
            (b'{"type": "input_audio_buffer.append", "audio": "AAAA"}', "invalid_value", "audio"),
            (b'{"type": "session.update", "session": {}}', "missing_required_parameter", "session.type"),
            (
                b'{"type": "session.update", "session": {"type": "realtime", "output_modalities": []}}',
                "invalid_value",
                "session.output_modalities",
            ),
            (
                b'{"type": "session.update", "session": {"type": "realtime", "audio": {"output": {"voice": "x"}}}}',
                "invalid_value",
                "session.audio.output.voice",
            ),
            (b'{"type": "output_audio_buffer.clear"}', "invalid_value", "type"),
        ],
    )
    def test_each_gets_its_error_and_the_session_goes_on(self, data, code, param):
        driver = Driver()
        (event,) = driver.raw(data)
        assert event["type"] == "error"
        assert (event["error"]["code"], event["error"]["param"]) == (code, param)
        assert spoken_answer(driver)[-2]["response"]["status"] == "completed"

    def test_the_buffer_is_bounded(self, monkeypatch):
        monkeypatch.setattr("vivavoce.engine.session.listening.BUFFER_LIMIT_S", 2)
        driver = Driver(audio={"input": {"turn_detection": None}})
        driver.append(1.5)
        before = len(driver.events)
        driver.append(1.0)
        assert "at most 2 seconds" in driver.events[before]["error"]["message"]
        assert types(driver.client("input_audio_buffer.commit"))[0] == "input_audio_buffer.committed"

    def test_a_session_expires(self):
        driver = Driver()
        events = driver.tell(inputs.Expired())
        assert events[0]["error"]["code"] == "session_expired"
        assert driver.last(effects.Close).code == 1001
