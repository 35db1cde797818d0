import base64

import pytest

from vivavoce.client.journal import KEPT_BYTES, KEPT_EVENTS, QUIET_MS, Journal
from vivavoce.protocol import client_events as client
from vivavoce.protocol import server_events as server
from vivavoce.protocol.items import FunctionCallOutput, InputText, MessageItem
from vivavoce.protocol.responses import Response, ResponseCreateParams
from vivavoce.protocol.session import AudioInput, AudioPcmu, RealtimeSession, SessionAudio
from vivavoce.protocol.session_params import RealtimeSessionParams

PER_MS = 48


def sound(start_ms, ms):
    """PCM16 of which every two milliseconds can be told from all others."""
    return b"".join(((start_ms + i) // 2 % 30_000).to_bytes(2, "little") * 24 for i in range(ms))


def append(start_ms, ms=40):
    return client.InputAudioBufferAppend(audio=base64.b64encode(sound(start_ms, ms)).decode())


def item(item_id, text="Hello"):
    return MessageItem(id=item_id, role="user", content=[InputText(text=text)])


def create(item_id, event_id="event_1"):
    return client.ConversationItemCreate(event_id=event_id, item=item(item_id))


def update(event_id="update_1"):
    return client.SessionUpdate(event_id=event_id, session=RealtimeSessionParams(instructions="Rhyme."))


def refusal(event_id):
    return server.ErrorEvent(error=server.ErrorDetails(message="no", event_id=event_id))


def started(ms, item_id="item_u"):
    return server.InputAudioBufferSpeechStarted(audio_start_ms=ms, item_id=item_id)


def stopped(ms, item_id="item_u"):
    return server.InputAudioBufferSpeechStopped(audio_end_ms=ms, item_id=item_id)


def committed(item_id="item_u"):
    return server.InputAudioBufferCommitted(item_id=item_id)


def heard(events):
    frames = [base64.b64decode(one.audio) for one in events if isinstance(one, client.InputAudioBufferAppend)]
    return b"".join(frames)


@pytest.fixture
def journal():
    """Of a session that detects turns."""
    return Journal(hold_ms=60_000)


@pytest.fixture
def pushed(journal):
    """Of a session in which the client ends the turns."""
    journal.configure(RealtimeSession(id="sess_1", audio=SessionAudio(input=AudioInput(turn_detection=None))))
    return journal


def say(journal, start_ms, until_ms):
    for at in range(start_ms, until_ms, 40):
        journal.sent(append(at))


class TestEvents:
    @pytest.mark.parametrize(
        ("event", "answer"),
        [
            (update(), server.SessionUpdated(session=RealtimeSession(id="sess_1"))),
            (create("item_1"), server.ConversationItemAdded(item=item("item_1"))),
            (create("item_1"), server.ConversationItemCreated(item=item("item_1"))),
            (
                client.ConversationItemDelete(item_id="item_1"),
                server.ConversationItemDeleted(item_id="item_1"),
            ),
            (
                client.ConversationItemRetrieve(item_id="item_1"),
                server.ConversationItemRetrieved(item=item("item_1")),
            ),
            (client.InputAudioBufferCommit(), committed()),
            (client.InputAudioBufferClear(), server.InputAudioBufferCleared()),
            (
                client.ResponseCreate(),
                server.ResponseCreated(response=Response(id="resp_1", conversation_id="conv_1")),
            ),
            (update(), refusal("update_1")),
        ],
    )
    def test_each_is_forgotten_when_it_is_answered(self, journal, event, answer):
        journal.sent(event)
        assert journal.events == [event]
        assert journal.fold(answer) is event
        assert journal.events == []

    def test_answers_to_others_change_nothing(self, journal):
        for event in (create("item_1"), client.ConversationItemDelete(item_id="item_2"), update()):
            journal.sent(event)
        before = journal.events
        for other in (
            server.ConversationItemAdded(item=item("item_9")),
            server.ConversationItemDeleted(item_id="item_9"),
            refusal("event_9"),
            refusal(None),
            committed(),
        ):
            assert journal.fold(other) is None
        assert journal.events == before

    def test_an_item_without_an_id_is_the_first_of_its_kind(self, journal):
        for event in (
            create(""),
            client.ConversationItemCreate(item=FunctionCallOutput(call_id="c", output="1")),
        ):
            journal.sent(event)
        assert journal.fold(server.ConversationItemAdded(item=item("item_1"))) is not None
        assert [event.item.type for event in journal.events] == ["function_call_output"]

    def test_the_order_stays(self, pushed):
        events = [
            update(),
            append(0),
            create("item_1"),
            client.InputAudioBufferCommit(),
            client.ResponseCreate(),
        ]
        for event in events:
            pushed.sent(event)
        assert pushed.again() == events

    def test_what_is_about_a_response_that_is_gone_is_not_repeated(self, journal):
        journal.sent(client.ResponseCancel())
        journal.sent(client.ConversationItemTruncate(item_id="item_1", content_index=0, audio_end_ms=0))
        assert journal.again() == []

    def test_it_is_bounded(self, journal):
        for number in range(KEPT_EVENTS + 3):
            assert journal.room == (number < KEPT_EVENTS)
            journal.sent(create(f"item_{number}"))
        assert len(journal.events) == KEPT_EVENTS

    def test_large_events_need_more_room(self, journal):
        many = 0
        while journal.room:
            many += 1
            journal.sent(client.SessionUpdate(session=RealtimeSessionParams(instructions="A" * 2**20)))
        assert many == KEPT_BYTES // 2**20


class TestRequests:
    ASKED = client.ResponseCreate(response=ResponseCreateParams(metadata={"request": "1"}))
    BESIDE = client.ResponseCreate(response=ResponseCreateParams(conversation="none"))

    def created(self, metadata=None, conversation_id="conv_1"):
        response = Response(id="resp_1", conversation_id=conversation_id, metadata=metadata)
        return server.ResponseCreated(response=response)

    def test_metadata_tells_which(self, journal):
        journal.sent(client.ResponseCreate())
        journal.sent(self.ASKED)
        assert journal.fold(self.created({"request": "1"})) is self.ASKED

    def test_a_turn_of_its_own_is_not_taken_for_one_whose_metadata_would_be_repeated(self, journal):
        journal.sent(self.ASKED)
        journal.fold(self.created({"request": "1"}))
        journal.sent(self.ASKED)
        assert journal.fold(self.created()) is None
        assert journal.events == [self.ASKED]

    def test_responses_out_of_band_are_told_apart(self, journal):
        journal.sent(client.ResponseCreate())
        journal.sent(self.BESIDE)
        assert journal.fold(self.created(conversation_id=None)) is self.BESIDE


class TestSpeechWithTurnDetection:
    def test_while_nobody_speaks_little_is_held(self, journal):
        say(journal, 0, 10_000)
        assert journal.speech_ms == QUIET_MS
        assert journal.idle
        assert heard(journal.again()) == sound(8000, 2000)

    def test_what_is_being_said_is_held_from_its_beginning(self, journal):
        say(journal, 0, 2000)
        journal.fold(started(1500))
        say(journal, 2000, 7000)
        assert not journal.idle
        assert heard(journal.again()) == sound(1500, 5500)

    def test_a_turn_takes_what_was_said_up_to_its_end(self, journal):
        say(journal, 0, 2000)
        journal.fold(started(1500))
        say(journal, 2000, 4000)
        journal.fold(stopped(3500))
        journal.fold(committed())
        assert journal.utterances == {"item_u": sound(1500, 2000)}
        assert heard(journal.again()) == sound(3500, 500)
        assert journal.idle

    def test_silence_that_times_out_is_a_turn(self, journal):
        say(journal, 0, 1000)
        journal.fold(
            server.InputAudioBufferTimeoutTriggered(audio_start_ms=0, audio_end_ms=1000, item_id="item_u")
        )
        journal.fold(committed())
        assert journal.speech_ms == 0

    def test_words_make_the_sound_unnecessary(self, journal):
        say(journal, 0, 1000)
        journal.fold(committed())
        done = server.ConversationItemInputAudioTranscriptionCompleted(
            item_id="item_u", content_index=0, transcript="Hi", usage=None
        )
        journal.fold(done)
        assert journal.utterances == {}

    def test_a_new_session_counts_from_what_it_was_sent(self, journal):
        say(journal, 0, 2000)
        journal.fold(started(1000))
        journal.again()
        assert journal.speaking is None
        journal.fold(started(200))
        assert heard(journal.again()) == sound(1200, 800)

    def test_what_is_said_while_nobody_listens_is_held(self, journal):
        journal.interrupted([])
        say(journal, 0, 5000)
        assert heard(journal.again()) == sound(0, 5000)
        say(journal, 5000, 9000)
        assert heard(journal.again()) == sound(7000, 2000)

    def test_telephone_audio_is_counted_in_its_own_bytes(self, journal):
        audio = SessionAudio(input=AudioInput(format=AudioPcmu()))
        journal.configure(RealtimeSession(id="sess_1", audio=audio))
        journal.sent(client.InputAudioBufferAppend(audio=base64.b64encode(bytes(8 * 1000)).decode()))
        assert journal.speech_ms == 1000
        journal.fold(started(400))
        assert journal.speech_ms == 600

    def test_what_is_no_audio_is_none(self, journal):
        journal.sent(client.InputAudioBufferAppend(audio="a"))
        assert journal.speech_ms == 0


class TestPushToTalk:
    def test_what_was_not_committed_is_held(self, pushed):
        say(pushed, 0, 5000)
        assert not pushed.idle
        assert heard(pushed.again()) == sound(0, 5000)

    def test_a_commit_that_was_not_answered_stays_where_it_was(self, pushed):
        say(pushed, 0, 400)
        pushed.sent(client.InputAudioBufferCommit())
        say(pushed, 400, 800)
        events = pushed.again()
        at = next(i for i, event in enumerate(events) if isinstance(event, client.InputAudioBufferCommit))
        assert heard(events[:at]) == sound(0, 400)
        assert heard(events[at:]) == sound(400, 400)

    def test_an_answered_one_takes_what_was_before_it(self, pushed):
        say(pushed, 0, 400)
        pushed.sent(create("item_1"))
        pushed.sent(client.InputAudioBufferCommit())
        say(pushed, 400, 800)
        pushed.fold(committed())
        assert pushed.utterances == {"item_u": sound(0, 400)}
        assert [event.type for event in pushed.events] == ["conversation.item.create"]
        assert heard(pushed.again()) == sound(400, 400)

    def test_clearing_forgets_what_is_not_committed(self, pushed):
        say(pushed, 0, 400)
        pushed.sent(client.InputAudioBufferCommit())
        say(pushed, 400, 800)
        pushed.sent(client.InputAudioBufferClear())
        assert heard(pushed.again()) == sound(0, 400)


class TestBounds:
    def test_the_oldest_of_a_turn_is_lost_first_and_it_is_counted(self):
        journal = Journal(hold_ms=1000)
        journal.fold(started(0))
        say(journal, 0, 1400)
        assert heard(journal.again()) == sound(400, 1000)
        assert journal.overflown_ms == 400

    def test_however_long_it_is_it_is_not_all_held(self):
        journal = Journal(hold_ms=1000)
        journal.fold(started(0))
        for start in range(0, 60_000, 4000):
            say(journal, start, start + 4000)
            assert journal.speech_ms <= QUIET_MS

    def test_turns_that_were_said_give_way_to_the_one_that_is_being_said(self):
        journal = Journal(hold_ms=1000)
        for number in range(3):
            journal.fold(started(number * 400))
            say(journal, number * 400, number * 400 + 400)
            journal.fold(committed(f"item_{number}"))
        assert list(journal.utterances) == ["item_1", "item_2"]
        journal.fold(started(1200))
        say(journal, 1200, 2200)
        journal.again()
        assert journal.utterances == {}

    def test_forgetting_forgets_all(self, pushed):
        say(pushed, 0, 400)
        pushed.sent(create("item_1"))
        pushed.forget()
        assert pushed.again() == []
