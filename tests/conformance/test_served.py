"""Every field that the table calls served does something: what the models are asked, or the client is told, differs."""

import base64
from typing import Any

import pytest

from tests.engine.session.driver import Driver, user
from tests.engine.test_compatibility import CONTAINERS, decoded, fields, used
from vivavoce.engine.session import effects
from vivavoce.protocol import items, responses, session, session_params

LOOK = {"type": "function", "name": "look"}


def detection(**fields: Any) -> dict[str, Any]:
    return {"audio": {"input": {"turn_detection": {"type": "server_vad", **fields}}}}


def semantic(**fields: Any) -> dict[str, Any]:
    return {"audio": {"input": {"turn_detection": {"type": "semantic_vad", **fields}}}}


# What to look at, after the same has happened to both sessions.


def prompt(driver):
    driver.client("response.create")
    return driver.last(effects.Generate).prompt


def instructions(driver):
    return prompt(driver).messages[0].text


def function(driver):
    return prompt(driver).functions[0]


def written(driver):
    driver.client("response.create")
    return [
        event["type"].split(".")[1] for event in driver.write("Hi.", end=None) if "delta" in event["type"]
    ]


def heard(driver):
    """Return how many samples a tenth of a second of telephone audio is taken for, to the nearest hundred."""
    driver.client("input_audio_buffer.append", audio=base64.b64encode(bytes(800)).decode())
    return round(len(driver.last(effects.Listen).pcm), -2)


def turn(driver):
    return [event["type"] for event in driver.hear((0.512, 0.0), (0.512, 0.6), (0.512, 0.0))]


def started(driver):
    turn(driver)
    return next(event["audio_start_ms"] for event in driver.events if "audio_start_ms" in event)


def stopped(driver):
    return [
        event["audio_end_ms"] for event in driver.hear((0.512, 0.9), (2.048, 0.0)) if "audio_end_ms" in event
    ]


def transcribed(driver):
    turn(driver)
    return [
        event["type"].split(".")[-1] for event in driver.recognise("Hello.") if "transcr" in event["type"]
    ]


def recognised(driver):
    turn(driver)
    asked = driver.last(effects.Recognise)
    return asked.language, asked.prompt


def listened(driver):
    driver.append(0.1)
    return len(driver.all(effects.Listen))


def timed_out(driver):
    driver.client("response.create")
    driver.write("Yes?")
    driver.speak()
    driver.hear(*[(1.0, 0.0)] * 7)
    return driver.events[-1]["type"] != "rate_limits.updated"


def answered(driver):
    driver.hear((0.5, 0.9), (2.5, 0.0))
    return [event["type"] for event in driver.recognise("Hello.")]


def interrupted(driver):
    driver.client("response.create")
    driver.write("Well, ", end=None)
    driver.hear((0.5, 0.9))
    return driver.events[-2].get("response", {}).get("status")


def spoken(driver):
    """Return how many bytes a second of speech is."""
    driver.write("Hi.")
    deltas = [event["delta"] for event in driver.speak(1.0) if event["type"] == "response.output_audio.delta"]
    return len(b"".join(map(base64.b64decode, deltas)))


def encoded(driver):
    driver.client("response.create")
    return spoken(driver)


def clause(driver):
    driver.write("Hi.")
    return driver.last(effects.Synthesise)


def said(driver):
    driver.client("response.create")
    spoken = clause(driver)
    return spoken.voice, spoken.speed


def most(driver):
    driver.client("response.create")
    return driver.last(effects.Generate).max_tokens


SESSION = [
    ({"output_modalities": ["text"]}, {}, written, ["output_text"]),
    ({"instructions": "Be brief."}, {}, instructions, "Be brief."),
    ({"tools": [LOOK]}, {}, lambda d: len(prompt(d).functions), 1),
    ({"tools": [LOOK]}, {"tools": [{**LOOK, "name": "see"}]}, lambda d: function(d).name, "look"),
    (
        {"tools": [{**LOOK, "description": "Looks."}]},
        {"tools": [LOOK]},
        lambda d: function(d).description,
        "Looks.",
    ),
    (
        {"tools": [{**LOOK, "parameters": {"type": "object"}}]},
        {"tools": [LOOK]},
        lambda d: function(d).parameters,
        '{"type":"object"}',
    ),
    ({"tool_choice": "required"}, {}, lambda d: prompt(d).tool_choice, "required"),
    ({"tools": [LOOK], "tool_choice": LOOK}, {"tools": [LOOK]}, lambda d: prompt(d).must_call, "look"),
    ({"parallel_tool_calls": False}, {}, lambda d: prompt(d).parallel_calls, False),
    ({"audio": {"input": {"format": {"type": "audio/pcmu"}}}}, {}, heard, 2400),
    (
        {"audio": {"input": {"transcription": {"model": "whisper-1"}}}},
        {},
        transcribed,
        ["delta", "completed"],
    ),
    (
        {"audio": {"input": {"transcription": {"language": "de", "prompt": "Names."}}}},
        {},
        recognised,
        ("de", "Names."),
    ),
    ({"audio": {"input": {"turn_detection": None}}}, {}, listened, 0),
    (detection(threshold=0.8), {}, turn, []),
    (detection(prefix_padding_ms=100), {}, started, 412),
    (detection(silence_duration_ms=1000), {}, stopped, [512 + 1024]),
    (detection(idle_timeout_ms=5000), {}, timed_out, True),
    (detection(create_response=False), {}, answered, []),
    (detection(interrupt_response=False), {}, interrupted, None),
    (semantic(create_response=False), semantic(), answered, []),
    (semantic(interrupt_response=False), semantic(), interrupted, None),
    ({"audio": {"output": {"format": {"type": "audio/pcmu"}}}}, {}, encoded, 8000),
    ({"audio": {"output": {"voice": "marin", "speed": 1.25}}}, {}, said, ("marin", 1.25)),
    ({"max_output_tokens": 100}, {}, most, 100),
]
"""A session, another that differs in one thing, where to look, and what is seen in the first alone."""


@pytest.mark.parametrize(("asked", "without", "look", "seen"), SESSION)
def test_a_session_does_what_it_was_asked_for(asked, without, look, seen):
    assert look(Driver(**asked)) == seen
    assert look(Driver(**without)) != seen


def test_of_sessions_every_served_field_is_looked_at():
    given = set().union(
        *(used(decoded(session_params.RealtimeSessionParams, asked)) for asked, *_ in SESSION)
    )
    wanted = fields("served", of=session_params.RealtimeSessionParams)
    assert {(struct, field) for struct, field in wanted if field not in CONTAINERS} - given == {
        (session.AudioPcm, "rate")  # which can only be what it is
    }


def generated(driver):
    return driver.last(effects.Generate).prompt


def created(driver):
    return next(event["response"] for event in driver.events if event["type"] == "response.created")


def read(driver):
    return [message.text for message in generated(driver).messages[1:]]


def wrote(driver):
    return [
        event["type"].split(".")[1] for event in driver.write("Hi.", end=None) if "delta" in event["type"]
    ]


RESPONSE = [
    ({"conversation": "none"}, lambda d: created(d)["conversation_id"], None),
    ({"metadata": {"topic": "test"}}, lambda d: created(d)["metadata"], {"topic": "test"}),
    ({"instructions": "Be brief."}, lambda d: generated(d).messages[0].text, "Be brief."),
    ({"input": [user("Hello?")]}, read, ["Hello?"]),
    ({"input": [{"type": "item_reference", "id": "item_second"}]}, read, ["Second"]),
    ({"output_modalities": ["text"]}, wrote, ["output_text"]),
    ({"audio": {"output": {"format": {"type": "audio/pcma"}}}}, spoken, 8000),
    ({"audio": {"output": {"voice": "marin"}}}, lambda d: clause(d).voice, "marin"),
    ({"tools": [LOOK]}, lambda d: [function.name for function in generated(d).functions], ["look"]),
    ({"tool_choice": "required"}, lambda d: generated(d).tool_choice, "required"),
    ({"tools": [LOOK], "tool_choice": LOOK}, lambda d: generated(d).must_call, "look"),
    ({"parallel_tool_calls": False}, lambda d: generated(d).parallel_calls, False),
]
"""A response, where to look, and what is not seen in one that is asked for without any wishes."""


def responding(**asked: Any) -> Driver:
    driver = Driver()
    for name in ("first", "second"):
        driver.client("conversation.item.create", item=user(name.capitalize(), id=f"item_{name}"))
    driver.client("response.create", **asked)
    return driver


@pytest.mark.parametrize(("asked", "look", "seen"), RESPONSE)
def test_a_response_is_what_it_was_asked_to_be(asked, look, seen):
    assert look(responding(response=asked)) == seen
    assert look(responding()) != seen


def test_of_responses_every_served_field_is_looked_at():
    given = set().union(*(used(decoded(responses.ResponseCreateParams, asked)) for asked, *_ in RESPONSE))
    own = {responses.ResponseCreateParams, responses.ResponseAudioOutputParams, items.ItemReference}
    wanted = fields("served", of=responses.ResponseCreateParams)
    assert {(s, field) for s, field in wanted if s in own and field not in CONTAINERS - {"input"}} <= given


AUDIO = base64.b64encode(bytes(480)).decode()

ITEMS = [
    user("Hello", id="item_1"),
    {
        "id": "item_1",
        "type": "message",
        "role": "system",
        "content": [{"type": "input_text", "text": "Be kind."}],
    },
    {
        "id": "item_1",
        "type": "message",
        "role": "user",
        "content": [{"type": "input_audio", "audio": AUDIO, "transcript": "Hello"}],
    },
    {
        "id": "item_1",
        "type": "message",
        "role": "assistant",
        "content": [
            {"type": "output_text", "text": "Hi."},
            {"type": "output_audio", "audio": AUDIO, "transcript": "Hi."},
        ],
    },
    {"id": "item_1", "type": "function_call", "call_id": "call_1", "name": "look", "arguments": "{}"},
    {"id": "item_1", "type": "function_call_output", "call_id": "call_1", "output": "a door"},
]


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item["type"])
def test_an_item_is_what_it_was_created_as(item):
    driver = Driver()
    added, done = driver.client("conversation.item.create", item=item)
    (retrieved,) = driver.client("conversation.item.retrieve", item_id="item_1")
    kept = dict(retrieved["item"])
    assert kept.pop("status", "completed") == "completed"
    assert kept == item
    assert added["item"] == done["item"]


def test_of_items_every_served_field_is_created():
    given = set().union(*(used(decoded(items.Item, item)) for item in ITEMS))
    assert fields("served", of=items.Item) <= given


def test_an_id_that_is_taken_is_accepted():
    driver = Driver()
    for previous in (None, "item_1"):
        added, _ = driver.client("conversation.item.create", item=user("Hello", id="item_1"))
        assert (added["type"], added["previous_item_id"]) == ("conversation.item.added", previous)
