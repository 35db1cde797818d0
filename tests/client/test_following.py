"""What a client makes of its session by itself; with an endpoint at the other end, see test_realtime.py."""

import pytest

from vivavoce.client.audience import Audience
from vivavoce.client.continuity import Interruption
from vivavoce.client.conversation import Conversation
from vivavoce.client.following import Following
from vivavoce.client.outbox import Outbox
from vivavoce.client.tasks import Tasks
from vivavoce.client.toolbox import NOBODY
from vivavoce.errors import ConnectionLost, ProtocolError
from vivavoce.protocol import client_events as client
from vivavoce.protocol import server_events as server
from vivavoce.protocol.ids import Ids
from vivavoce.protocol.items import InputText, MessageItem
from vivavoce.protocol.responses import Response
from vivavoce.protocol.session import RealtimeSession
from vivavoce.protocol.session_params import RealtimeSessionParams

LOST = ConnectionLost(1006)


class Session:
    def __init__(self):
        tasks = Tasks()
        self.outbox = Outbox()
        self.audience = Audience(tasks)
        self.told = []
        self.audience.on("*", self.told.append)
        self.conversation = Conversation()
        self.following = Following(
            self.conversation,
            self.outbox,
            ids=Ids(),
            tasks=tasks,
            audience=self.audience,
            speaking=None,
            tool_context=NOBODY,
        )


@pytest.fixture
def session():
    return Session()


def item():
    return client.ConversationItemCreate(item=MessageItem(role="user", content=[InputText(text="Hello")]))


def created(request, response_id="resp_1"):
    response = Response(id=response_id, conversation_id="conv_1", metadata=request.response.metadata)
    return server.ResponseCreated(response=response)


async def test_what_is_sent_has_names(session):
    one, other = item(), item()
    for event in (one, other):
        session.following.name(event)
    assert len({one.event_id, other.event_id, one.item.id, other.item.id}) == 4
    named = client.InputAudioBufferCommit(event_id="mine")
    session.following.name(named)
    assert named.event_id == "mine"


async def test_a_reply_ends_with_the_error_of_what_it_was_to_answer(session):
    event = item()
    session.following.name(event)
    reply, _ = session.following.ask(None)
    refusal = server.ErrorDetails(message="no such thing", event_id=event.event_id)
    session.following.take(server.ErrorEvent(error=refusal))
    with pytest.raises(ProtocolError, match="no such thing"):
        await reply


async def test_but_not_with_that_of_what_another_was_to_answer(session):
    event = item()
    session.following.name(event)
    session.following.ask(None)
    reply, _ = session.following.ask(None)
    refusal = server.ErrorDetails(message="no such thing", event_id=event.event_id)
    session.following.take(server.ErrorEvent(error=refusal))
    assert not reply.done


async def test_what_is_cancelled_too_late_is_no_error_for_anybody(session):
    _, (request,) = session.following.ask(None)
    session.following.take(created(request))
    session.following.cancel(None)
    cancel = await session.outbox.get()
    refusal = server.ErrorDetails(message="no active response", event_id=cancel.event_id)
    session.following.take(server.ErrorEvent(error=refusal))
    assert [event.type for event in session.told] == ["response.created"]


async def test_an_interruption_ends_what_was_begun_and_is_told_as_events(session):
    reply, (request,) = session.following.ask(None)
    session.following.take(created(request))
    waiting, _ = session.following.ask(None)
    done = server.ResponseDone(response=Response(id="resp_1", status="failed"))
    session.following.interrupted(LOST, Interruption([done], ["resp_1"]))
    with pytest.raises(ConnectionLost):
        await reply
    assert session.told[-1] is done
    assert not waiting.done
    assert (await session.outbox.get()).event_id == waiting.request.event_id


async def test_a_session_that_lives_without_us_answers_nobody_who_left(session):
    reply, _ = session.following.ask(None)
    updated = session.following.update(client.SessionUpdate(session=RealtimeSessionParams()))
    session.following.interrupted(LOST, None)
    for waiting in (reply, updated):
        with pytest.raises(ConnectionLost):
            await waiting


async def test_what_a_restored_session_is_nobody_is_told(session):
    restored = RealtimeSession(id="sess_2", instructions="Rhyme.")
    session.following.resumed(server.SessionUpdated(session=restored))
    assert session.following.session is restored
    assert session.told == []


async def test_the_end_is_the_end_of_all(session):
    reply, _ = session.following.ask(None)
    session.following.ended(LOST)
    with pytest.raises(ConnectionLost):
        await reply
    with pytest.raises(ConnectionLost):
        await anext(session.audience.own)
