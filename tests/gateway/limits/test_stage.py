import asyncio
import json

from vivavoce.gateway.limits.stage import MOST_HELD, LimitStage
from vivavoce.gateway.limits.store import DAY, LEASE_SECONDS, MemoryStore
from vivavoce.gateway.passage import Passage, Task, ToClient, ToEndpoint
from vivavoce.gateway.policy.rules import Limits

CANCEL = {"type": "response.cancel"}
CREATE = {"type": "response.create"}


class House:
    """Sessions of one user, a store, and a clock that only moves when told."""

    def __init__(self, **limits):
        self.now = 0.0
        self.store = MemoryStore(lambda: self.now)
        self.limits = Limits(**limits)

    def session(self, model="gpt-realtime-2.1", *, counted=False):
        return Session(self, LimitStage(
            self.limits, self.store, user="ada", session=f"s{id(self)}", model=model, counted=counted,
            clock=lambda: self.now,
        ))  # fmt: skip


class Session:
    def __init__(self, house, stage):
        self.house = house
        self.passage = Passage([stage])
        self.sent, self.heard = [], []
        self.tasks = []

    def say(self, event):
        self._sort(self.passage.hear(json.dumps(event).encode(), self.house.now))

    def answer(self, event):
        self._sort(self.passage.receive(json.dumps({"event_id": "e", **event}).encode(), self.house.now))

    def tick(self):
        self._sort(self.passage.tick(self.house.now))

    def audio(self, milliseconds, rate=48_000):
        size = milliseconds * rate // 1000
        assert size % 3 == 0
        self.say({"type": "input_audio_buffer.append", "audio": "A" * (size * 4 // 3)})

    async def settle(self):
        while self.tasks:
            task = self.tasks.pop(0)
            self._sort(self.passage.enter(task.position, await task.work(), self.house.now))

    def _sort(self, outputs):
        for output in outputs:
            match output:
                case ToEndpoint(data):
                    self.sent.append(json.loads(data))
                case ToClient(data):
                    self.heard.append(json.loads(data))
                case Task():
                    self.tasks.append(output)

    @property
    def errors(self):
        return [event["error"] for event in self.heard if event["type"] == "error"]


async def test_events_go_on_in_their_order_once_there_is_a_portion():
    session = House(events_per_minute=40).session()
    for n in range(3):
        session.say({**CANCEL, "event_id": str(n)})
    assert (session.sent, len(session.tasks)) == ([], 1)
    await session.settle()
    assert [event["event_id"] for event in session.sent] == ["0", "1", "2"]


async def test_one_event_more_is_refused_until_the_next_minute():
    house = House(events_per_minute=5)
    session = house.session()
    for n in range(7):
        session.say({**CANCEL, "event_id": str(n)})
        await session.settle()
    assert len(session.sent) == 5
    assert [(error["code"], error["event_id"]) for error in session.errors] == [
        ("rate_limit_exceeded", "5"),
        ("rate_limit_exceeded", "6"),
    ]
    house.now = 60.0
    session.say(CANCEL)
    await session.settle()
    assert len(session.sent) == 6


async def test_two_sessions_of_a_user_share_a_limit():
    house = House(events_per_minute=30)
    sessions = [house.session() for _ in range(2)]
    for _ in range(40):
        for session in sessions:
            session.say(CANCEL)
        await asyncio.gather(*(session.settle() for session in sessions))
    assert sum(len(session.sent) for session in sessions) == 30


async def test_the_client_is_told_when_little_is_left():
    session = House(events_per_minute=10).session()
    for _ in range(9):
        session.say(CANCEL)
        await session.settle()
    (told,) = session.heard
    assert told["type"] == "rate_limits.updated"
    assert told["rate_limits"] == [{"name": "requests", "limit": 10, "remaining": 2, "reset_seconds": 60.0}]


class TestAudio:
    async def test_is_counted_in_seconds_and_told_of_once(self):
        house = House(audio_seconds_per_minute=2)
        session = house.session()
        for _ in range(60):
            session.audio(50)
            await session.settle()
        assert len(session.sent) == 40
        assert [error["code"] for error in session.errors] == ["rate_limit_exceeded"]
        house.now = 60.0
        session.audio(50)
        await session.settle()
        assert len(session.sent) == 41

    async def test_of_a_telephone_has_fewer_bytes(self):
        session = House(audio_seconds_per_minute=1).session()
        session.answer(
            {"type": "session.updated", "session": {"audio": {"input": {"format": {"type": "audio/pcmu"}}}}}
        )
        for _ in range(20):
            session.audio(60, rate=8_000)
            await session.settle()
        assert len(session.sent) == 16

    async def test_is_not_counted_among_events(self):
        session = House(events_per_minute=1).session()
        session.audio(50)
        session.audio(50)
        assert len(session.sent) == 2

    async def test_that_is_none_is_the_endpoints_to_refuse(self):
        session = House(audio_seconds_per_minute=1).session()
        session.say({"type": "input_audio_buffer.append", "audio": 7})
        assert len(session.sent) == 1

    async def test_waits_within_bounds(self):
        session = House(audio_seconds_per_minute=60).session()
        for _ in range(MOST_HELD + 3):
            session.audio(50)
        assert len(session.errors) == 1
        await session.settle()
        assert len(session.sent) == MOST_HELD


def done(tokens, audio_tokens=0):
    usage = {
        "total_tokens": tokens,
        "input_tokens": 0,
        "output_tokens": tokens,
        "output_token_details": {"text_tokens": tokens - audio_tokens, "audio_tokens": audio_tokens},
    }
    return {"type": "response.done", "response": {"id": "r", "usage": usage}}


class TestBudgets:
    async def test_of_tokens(self):
        house = House(tokens_per_day=100)
        session, other = house.session(), house.session()
        for tokens in (40, 59, 1):
            assert session.errors == []
            session.say(CREATE)
            session.answer(done(tokens))
            await session.settle()
        session.say(CREATE)
        session.audio(50)
        session.say(CANCEL)
        assert [event["type"] for event in session.sent] == ["response.create"] * 3 + ["response.cancel"]
        assert [error["code"] for error in session.errors] == ["rate_limit_exceeded"] * 2
        other.answer(done(1))
        await other.settle()
        other.say(CREATE)
        assert (other.sent, len(other.errors)) == ([], 1)
        house.now = float(DAY)
        session.say(CREATE)
        assert len(session.sent) == 5

    async def test_the_client_is_told_what_is_left_instead_of_what_the_endpoint_says(self):
        session = House(tokens_per_day=100).session()
        session.answer({"type": "rate_limits.updated", "rate_limits": [{"name": "tokens", "limit": 9}]})
        session.answer(done(30))
        await session.settle()
        assert [event["type"] for event in session.heard] == ["response.done", "rate_limits.updated"]
        (limit,) = session.heard[1]["rate_limits"]
        assert (limit["name"], limit["limit"], limit["remaining"]) == ("tokens", 100, 70)

    async def test_transcriptions_count_too(self):
        house = House(tokens_per_day=100)
        session = house.session()
        usage = {"type": "tokens", "total_tokens": 25, "input_tokens": 20, "output_tokens": 5}
        session.answer({
            "type": "conversation.item.input_audio_transcription.completed",
            "item_id": "i", "content_index": 0, "transcript": "x", "usage": usage,
        })  # fmt: skip
        await session.settle()
        assert (await house.store.add("tokens:ada", 0, DAY)).used == 25

    async def test_of_dollars(self):
        house = House(dollars_per_day=0.01)
        session = house.session("gpt-realtime-2.1")  # 64 dollars for a million audio tokens
        session.answer(done(100, audio_tokens=100))
        await session.settle()
        assert (await house.store.add("dollars:ada", 0, DAY)).used == 6_400
        session.answer(done(57, audio_tokens=57))
        await session.settle()
        session.say(CREATE)
        assert [error["code"] for error in session.errors] == ["rate_limit_exceeded"]

    async def test_what_has_no_price_costs_nothing(self):
        session = House(dollars_per_day=0.01).session("vivavoce")
        session.answer(done(10_000_000))
        await session.settle()
        session.say(CREATE)
        assert len(session.sent) == 1

    async def test_a_response_without_usage_counts_nothing(self):
        session = House(tokens_per_day=1).session()
        session.answer({"type": "response.done", "response": {"id": "r", "usage": None}})
        assert session.tasks == []


async def test_a_session_that_is_counted_renews_its_place():
    house = House(sessions=1)
    session = house.session(counted=True)
    for house.now in range(0, 10 * LEASE_SECONDS, 10):
        session.tick()
        await session.settle()
    assert await house.store.enter("ada", "another", 1, None) == "user_full"
    plain = House(tokens_per_day=1).session()
    plain.tick()
    plain.house.now = 999.0
    plain.tick()
    assert plain.tasks == []


def test_where_there_is_no_limit_nothing_is_looked_at():
    stage = LimitStage(
        Limits(), MemoryStore(float), user="a", session="s", model="m", counted=True, clock=float
    )
    assert (stage.wants_up, stage.wants_down) == (frozenset(), frozenset())
