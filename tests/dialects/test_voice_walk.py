"""Whatever is written, and whenever the endpoint answers: all of it is answered, and no two answers at a time."""

import json
from collections import deque

from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.dialects.voice import Ask, Voice
from vivavoce.protocol.codec import Frame


class Endpoint:
    """An endpoint as the protocol has it, as far as texts and responses go. It hears and says one event at a time."""

    def __init__(self):
        self.voice = Voice(lambda: 0.0)
        self.heard, self.said = deque(), deque()
        self.items = self.answered = 0
        self.active = None
        """How many items the response knows that is on its way."""
        self.responses = 0
        self.refused = []

    def client(self, kind, **fields):
        self._take(self.voice.hear(json.dumps({"type": kind, **fields}).encode(), binary=False))

    def hear(self):
        """Hear the next event of the client."""
        if self.heard:
            self._heard(self.heard.popleft())

    def say(self):
        """Let the client hear the next of ours."""
        if self.said:
            self._take(self.voice.say(Frame(json.dumps(self.said.popleft()))))

    def drain(self):
        """Let everything be heard and said; no response ends."""
        while self.heard or self.said:
            self.hear()
            self.say()

    def finish(self):
        """End the response."""
        if self.active is not None:
            self.answered, self.active = self.active, None
            self._say("response.done", response={"id": "resp", "status": "completed"})

    def speak(self):
        """Answer the user's speech, as turn detection does."""
        if self.active is None:
            self._begin()

    def _heard(self, event):
        match event["type"]:
            case "conversation.item.create":
                self.items += 1
            case "response.create" if self.active is not None:
                self._refuse(event, "conversation_already_has_active_response")
            case "response.create":
                self._begin()
            case "response.cancel" if self.active is None:
                self._refuse(event, "response_cancel_not_active")
            case "response.cancel":
                self.active = None
                self._say("response.done", response={"id": "resp", "status": "cancelled"})

    def _begin(self):
        self.active = self.items
        self.responses += 1
        self._say("response.created", response={"id": "resp", "status": "in_progress"})

    def _refuse(self, event, code):
        self.refused.append(code)
        self._say("error", error={"code": code, "message": "No.", "event_id": event["event_id"]})

    def _say(self, kind, **fields):
        self.said.append({"type": kind, **fields})

    def _take(self, said):
        self.heard.extend(json.loads(each.frame.data) for each in said if isinstance(each, Ask))

    def settle(self):
        self.drain()
        while self.active is not None:
            self.finish()
            self.drain()


def walk(steps):
    endpoint = Endpoint()
    for step in steps:
        match step:
            case "write":
                text = {"type": "input_text", "text": "Hello"}
                endpoint.client("conversation.item.input", conversation_item_input=text)
            case "cancel":
                endpoint.client("response.cancel")
            case _:
                getattr(endpoint, step)()
    return endpoint


@settings(max_examples=400, deadline=None, derandomize=True)
@given(steps=st.lists(st.sampled_from(["write", "hear", "say", "finish", "speak"]), max_size=40))
def test_all_that_is_written_is_answered(steps):
    endpoint = walk(steps)
    endpoint.settle()
    assert endpoint.answered == endpoint.items == steps.count("write")


@settings(max_examples=400, deadline=None, derandomize=True)
@given(steps=st.lists(st.sampled_from(["write", "cancel", "hear", "say", "drain", "finish"]), max_size=40))
def test_what_is_written_does_not_wait_for_the_answer_before(steps):
    endpoint = walk([*steps, "write"])
    endpoint.drain()
    assert endpoint.active == endpoint.items


@settings(max_examples=200, deadline=None, derandomize=True)
@given(steps=st.lists(st.sampled_from(["write", "hear", "say", "finish"]), max_size=40))
def test_who_only_writes_never_asks_for_two_answers_at_a_time(steps):
    endpoint = walk(steps)
    endpoint.settle()
    assert "conversation_already_has_active_response" not in endpoint.refused


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    steps=st.lists(
        st.sampled_from(["write", "cancel", "hear", "say", "drain", "finish", "speak"]), max_size=40
    )
)
def test_it_comes_to_rest_and_answers_again(steps):
    endpoint = walk(steps)
    endpoint.settle()
    text = {"type": "input_text", "text": "Hello"}
    endpoint.client("conversation.item.input", conversation_item_input=text)
    endpoint.settle()
    assert endpoint.answered == endpoint.items
