import base64

import msgspec
import pytest

from vivavoce.client.continuity import CONNECTION_LOST, Continuity, ContinuityState
from vivavoce.client.conversation import Conversation
from vivavoce.protocol import client_events as client
from vivavoce.protocol import items
from vivavoce.protocol import server_events as server
from vivavoce.protocol.responses import Response, ResponseCreateParams
from vivavoce.protocol.session import (
    AudioInput,
    RealtimeSession,
    ServerVad,
    SessionAudio,
    Transcription,
    TranscriptionSession,
)
from vivavoce.protocol.session_params import RealtimeSessionParams

ASKED = client.ResponseCreate(event_id="ask_1")
BESIDE = client.ResponseCreate(event_id="ask_2", response=ResponseCreateParams(conversation="none"))
QUESTION = items.MessageItem(
    id="item_u", role="user", status="completed", content=[items.InputText(text="How are you?")]
)
CALL = items.FunctionCall(id="item_c", status="completed", call_id="call_1", name="f", arguments="{}")


class Session:
    """A session whose mirror and thread are told the same."""

    def __init__(self, **heard):
        self.conversation = Conversation()
        self.thread = Continuity(self.conversation)
        audio = SessionAudio(input=AudioInput(**heard))
        self.take(server.SessionCreated(session=RealtimeSession(id="sess_1", audio=audio)))

    def take(self, *events):
        for event in events:
            self.conversation.fold(event)
            self.thread.fold(event)

    def send(self, *events):
        for event in events:
            self.thread.sent(event)

    def say(self, text="How are you?", item_id="item_u"):
        content = [items.InputText(text=text)]
        item = items.MessageItem(id=item_id, role="user", status="completed", content=content)
        self.send(client.ConversationItemCreate(item=item))
        self.take(server.ConversationItemAdded(item=item), server.ConversationItemDone(item=item))

    def begin(self, response_id="resp_1", *, conversation_id="conv_1"):
        self.take(server.ResponseCreated(response=Response(id=response_id, conversation_id=conversation_id)))

    def place(self, item_id="item_a", response_id="resp_1"):
        item = items.MessageItem(id=item_id, role="assistant", status="in_progress", content=[])
        self.take(
            server.ResponseOutputItemAdded(response_id=response_id, output_index=0, item=item),
            server.ConversationItemAdded(item=item),
        )

    def speak(self, words, ms=0, item_id="item_a", response_id="resp_1"):
        where = {"response_id": response_id, "item_id": item_id, "output_index": 0, "content_index": 0}
        self.take(server.ResponseOutputAudioTranscriptDelta(delta=words, **where))
        if ms:
            audio = base64.b64encode(bytes(ms * 48)).decode()
            self.take(server.ResponseOutputAudioDelta(delta=audio, **where))

    def hear(self, *, commit=True, item_id="item_u"):
        self.send(client.InputAudioBufferAppend(audio=base64.b64encode(bytes(48 * 1000)).decode()))
        self.take(server.InputAudioBufferSpeechStarted(audio_start_ms=0, item_id=item_id))
        if commit:
            item = items.MessageItem(
                id=item_id, role="user", status="completed", content=[items.InputAudio()]
            )
            self.take(
                server.InputAudioBufferSpeechStopped(audio_end_ms=1000, item_id=item_id),
                server.InputAudioBufferCommitted(item_id=item_id),
                server.ConversationItemAdded(item=item),
                server.ConversationItemDone(item=item),
            )

    def write(self, words, item_id="item_u"):
        self.take(
            server.ConversationItemInputAudioTranscriptionCompleted(
                item_id=item_id, content_index=0, transcript=words, usage=None
            )
        )

    def interrupt(self):
        """End the connection; return what its followers are told, which the mirror is told too."""
        interruption = self.thread.interrupted()
        for event in interruption.events:
            self.conversation.fold(event)
        return interruption

    def again(self):
        return [
            event.type
            for event in self.thread.restoration().again
            if not isinstance(event, client.InputAudioBufferAppend)
        ]

    def words(self):
        return [
            (item.role, item.content[0].type, getattr(item.content[0], "text", None))
            for item in self.thread.restoration().items
            if isinstance(item, items.MessageItem)
        ]


class Moved(Session):
    """The same, of which another mirror and another thread know what the first ones wrote down at the end."""

    def interrupt(self):
        written = msgspec.msgpack.encode(self.thread.state())
        self.conversation = Conversation()
        self.thread = Continuity(self.conversation)
        self.thread.load(msgspec.msgpack.decode(written, type=ContinuityState))
        return super().interrupt()


@pytest.fixture(params=[Session, Moved])
def session(request):
    return request.param()


class TestRequests:
    def test_one_that_was_not_answered_is_asked_again(self, session):
        session.send(ASKED)
        assert session.interrupt().events == []
        assert session.thread.restoration().again == [ASKED]

    def test_one_of_whose_answer_nothing_was_heard_is_asked_again(self, session):
        session.say()
        session.send(ASKED)
        session.begin()
        session.place()
        interruption = session.interrupt()
        assert interruption.ended == []
        assert [event.type for event in interruption.events] == ["conversation.item.deleted", "response.done"]
        assert session.thread.restoration().again == [ASKED]
        assert session.words() == [("user", "input_text", "How are you?")]

    def test_one_that_was_half_answered_ends_and_what_was_said_stays(self, session):
        session.say()
        session.send(ASKED)
        session.begin()
        session.place()
        session.speak("I am ")
        interruption = session.interrupt()
        assert interruption.ended == ["resp_1"]
        item_done, done = interruption.events
        assert item_done.item is done.response.output[0]
        assert item_done.item.content == [items.OutputAudio(transcript="I am ")]
        assert done.response.status == "failed"
        assert done.response.status_details.error.code == CONNECTION_LOST
        assert session.again() == []
        assert session.words()[1] == ("assistant", "output_text", "I am ")
        assert session.conversation.find("item_a").status == "incomplete"

    def test_one_that_was_cancelled_is_not_asked_again(self, session):
        session.send(ASKED)
        session.begin()
        session.send(client.ResponseCancel())
        assert session.interrupt().ended == ["resp_1"]
        assert session.again() == []

    def test_a_call_that_is_whole_is_an_answer(self, session):
        session.send(ASKED)
        session.begin()
        session.take(
            server.ConversationItemAdded(item=CALL),
            server.ResponseOutputItemDone(response_id="resp_1", output_index=0, item=CALL),
        )
        assert session.interrupt().ended == ["resp_1"]
        assert [item.type for item in session.thread.restoration().items] == ["function_call"]

    def test_those_out_of_band_are_asked_again_too(self, session):
        session.send(ASKED, BESIDE)
        session.begin("resp_2", conversation_id=None)
        session.begin("resp_1")
        session.speak("I am", response_id="resp_1")
        assert session.interrupt().ended == ["resp_1"]
        assert session.thread.restoration().again == [BESIDE]

    def test_what_is_done_is_done(self, session):
        session.send(ASKED)
        session.begin()
        session.take(server.ResponseDone(response=Response(id="resp_1")))
        assert session.interrupt().events == []
        assert session.again() == []

    def test_if_the_next_connection_ends_too_nothing_is_asked_twice(self, session):
        session.send(ASKED)
        session.begin()
        session.interrupt()
        session.thread.restoration()
        session.begin("resp_2")
        session.interrupt()
        assert session.thread.restoration().again == [ASKED]


class TestTurns:
    def test_one_that_is_being_said_is_sent_again(self, session):
        session.hear(commit=False)
        interruption = session.interrupt()
        cleared, deleted = interruption.events
        assert cleared.type == "input_audio_buffer.cleared"
        assert (deleted.type, deleted.item_id) == ("conversation.item.deleted", "item_u")
        restoration = session.thread.restoration()
        assert restoration.audio_ms == 1000
        assert restoration.items == []

    def test_one_that_was_said_and_not_answered_is_asked_about(self, session):
        session.hear()
        session.interrupt()
        assert session.again() == ["response.create"]
        assert session.words() == [("user", "input_audio", None)]

    def test_its_words_take_the_place_of_its_sound(self, session):
        session.hear()
        session.write("How are you?")
        session.interrupt()
        assert session.words() == [("user", "input_text", "How are you?")]

    def test_nothing_said_nothing_asked(self, session):
        session.hear()
        session.write(" ")
        session.interrupt()
        assert session.again() == []

    def test_its_own_response_is_asked_for_if_nothing_of_it_was_heard(self, session):
        session.hear()
        session.begin()
        session.interrupt()
        assert session.again() == ["response.create"]

    @pytest.mark.parametrize("detection", [None, ServerVad(create_response=False)])
    def test_nobody_asks_where_turns_have_no_response(self, detection):
        session = Session(turn_detection=detection)
        session.hear()
        session.interrupt()
        assert session.again() == []

    def test_a_transcription_session_has_no_items_to_restore(self):
        session = Session()
        session.take(server.SessionUpdated(session=TranscriptionSession(id="sess_1")))
        session.hear()
        assert session.thread.restoration().items == []
        assert session.again() == []


class TestConfiguration:
    UPDATE = client.SessionUpdate(event_id="up_1", session=RealtimeSessionParams(instructions="Rhyme."))

    def test_what_was_accepted_is_set_again(self, session):
        session.send(self.UPDATE)
        assert session.thread.restoration().params is None
        assert session.again() == ["session.update"]
        session.take(server.SessionUpdated(session=RealtimeSession(id="sess_1")))
        assert session.thread.restoration().params == self.UPDATE.session
        assert session.again() == []

    def test_what_was_refused_is_not(self, session):
        session.send(self.UPDATE)
        session.take(server.ErrorEvent(error=server.ErrorDetails(message="no", event_id="up_1")))
        assert session.thread.restoration().params is None
        assert session.again() == []

    def test_what_was_set_elsewhere_is_set_again(self, session):
        session.thread.configure(self.UPDATE)
        assert session.thread.restoration().params == self.UPDATE.session


def test_an_answer_that_was_cut_is_restored_as_far_as_it_was_heard(session):
    session.begin()
    session.place()
    session.speak("One two three four five six", ms=1000)
    session.send(client.ConversationItemTruncate(item_id="item_a", content_index=0, audio_end_ms=500))
    session.take(
        server.ConversationItemTruncated(item_id="item_a", content_index=0, audio_end_ms=500),
        server.ResponseDone(response=Response(id="resp_1")),
    )
    assert session.words() == [("assistant", "output_text", "One two three")]


def test_what_is_lost_is_told_once(session):
    session.send(client.ConversationItemCreate(item=QUESTION))
    picture = items.MessageItem(
        id="item_p", role="user", status="completed", content=[items.InputImage(image_url="data:,")]
    )
    session.take(server.ConversationItemAdded(item=picture))
    restoration = session.thread.restoration()
    assert [one.item_id for one in restoration.lost] == ["item_p"]
    assert session.thread.restoration().lost == restoration.lost
    session.thread.restored(restoration)
    assert session.thread.restoration().lost == []


def test_a_turn_that_is_too_long_is_lost_in_part_and_it_is_told():
    thread = Continuity(Conversation(), hold=1)
    thread.fold(server.InputAudioBufferSpeechStarted(audio_start_ms=0, item_id="item_u"))
    thread.sent(client.InputAudioBufferAppend(audio=base64.b64encode(bytes(48 * 3000)).decode()))
    (loss,) = thread.restoration().lost
    assert "first 2.0 s" in loss.what


def test_who_attaches_again_repeats_nothing(session):
    session.send(ASKED)
    session.hear(commit=False)
    session.interrupt()
    session.thread.attached()
    assert session.thread.restoration().events == []


def test_the_last_error_is_known(session):
    assert session.thread.error is None
    session.take(server.ErrorEvent(error=server.ErrorDetails(message="no", code="session_expired")))
    assert session.thread.error.code == "session_expired"
    session.thread.restoration()
    assert session.thread.error is None


class TestBoundary:
    def test_a_new_session_is_at_one(self, session):
        assert session.thread.at_boundary

    def test_it_is_not_while_something_waits_for_an_answer(self, session):
        session.send(ASKED)
        assert not session.thread.at_boundary
        session.begin()
        assert not session.thread.at_boundary
        session.take(server.ResponseDone(response=Response(id="resp_1")))
        assert session.thread.at_boundary

    def test_nor_while_somebody_speaks_or_waits_for_an_answer_to_that(self, session):
        session.hear(commit=False)
        assert not session.thread.at_boundary
        session.hear()
        assert not session.thread.at_boundary
        session.begin()
        session.take(server.ResponseDone(response=Response(id="resp_1")))
        assert session.thread.at_boundary

    def test_nor_while_words_are_on_their_way(self):
        session = Session(
            transcription=Transcription(model="whisper-1"), turn_detection=ServerVad(create_response=False)
        )
        session.hear()
        assert not session.thread.at_boundary
        session.write("Hi")
        assert session.thread.at_boundary

    def test_words_that_will_not_come_are_not_waited_for(self):
        session = Session(
            transcription=Transcription(model="whisper-1"), turn_detection=ServerVad(create_response=False)
        )
        session.hear()
        failed = server.ConversationItemInputAudioTranscriptionFailed(
            item_id="item_u", content_index=0, error=server.TranscriptionError(message="no")
        )
        session.take(failed)
        assert session.thread.at_boundary

    def test_nor_while_a_tool_is_at_work(self, session):
        session.take(
            server.ConversationItemAdded(item=CALL),
            server.ResponseOutputItemDone(response_id="resp_1", output_index=0, item=CALL),
        )
        assert not session.thread.at_boundary
        output = items.FunctionCallOutput(id="item_o", call_id="call_1", output="1")
        session.send(client.ConversationItemCreate(item=output))
        session.take(server.ConversationItemAdded(item=output))
        assert session.thread.at_boundary
