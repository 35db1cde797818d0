"""How well a language model of the engine calls functions: thirty requests to a house, and ten that need none.

    python benchmarks/tool_calling.py [--profile default] [--temperature 0.4] [--rounds 1] [--threads 1] [-v]

Each request is asked in a conversation of its own, with nine functions. Counts where the right function was called, and
where its arguments were right too, what was called though nothing should have been, and what the decisions cost: the
tokens of a call, the time to the first word or the name of the function, and to the end of the call. Six of the calls
get a result, and it counts whether that is told.
"""

import argparse
import asyncio
import json
import re
import statistics
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from typing import Any

from vivavoce.engine.choices import Known
from vivavoce.engine.models.llama import LlamaLanguageModel
from vivavoce.engine.models.protocols import (
    ArgumentsDelta,
    Call,
    CallStarted,
    Finished,
    Function,
    LanguageModel,
    Message,
    Prompt,
    TextDelta,
)
from vivavoce.engine.profiles import PROFILES
from vivavoce.engine.weights import ensure

INSTRUCTIONS = (
    "You are the voice of a house with a kitchen, a living room, a bedroom and a bathroom. Answer in one or two short "
    "sentences that can be read aloud. If you do not know something, say so."
)
ROOM = {"type": "string", "enum": ["kitchen", "living room", "bedroom", "bathroom"]}
MAX_TOKENS = 120

Check = Callable[[dict[str, Any]], bool]


def function(name: str, description: str, required: str, **properties: Any) -> Function:
    """Make a function whose ``required`` parameters are named in one text."""
    schema = {"type": "object", "properties": properties, "required": required.split()}
    return Function(name, description, json.dumps(schema))


FUNCTIONS = (
    function(
        "set_light",
        "Turn the light in a room on or off, or dim it.",
        "room on",
        room=ROOM,
        on={"type": "boolean"},
        brightness={"type": "integer", "minimum": 1, "maximum": 100, "description": "percent"},
    ),
    function(
        "set_temperature",
        "Set the thermostat of a room.",
        "room degrees",
        room=ROOM,
        degrees={"type": "number", "minimum": 5, "maximum": 30},
    ),
    function(
        "move_cover",
        "Open or close the garage door, the blinds or the front gate.",
        "cover action",
        cover={"type": "string", "enum": ["garage door", "blinds", "front gate"]},
        action={"type": "string", "enum": ["open", "close"]},
    ),
    function(
        "control_music",
        "Play, pause or skip music.",
        "action",
        action={"type": "string", "enum": ["play", "pause", "skip"]},
        query={"type": "string", "description": "what to play: an artist, a song or a style"},
    ),
    function(
        "get_state",
        "Find out the state of a device or a sensor in the house.",
        "device",
        device={
            "type": "string",
            "enum": ["front door", "garage door", "washing machine", "oven", "outdoor temperature"],
        },
    ),
    function(
        "get_weather",
        "Get the weather forecast for a place.",
        "place",
        place={"type": "string"},
        day={"type": "string", "enum": ["today", "tomorrow"]},
    ),
    function("set_timer", "Start a timer.", "minutes", minutes={"type": "integer"}, label={"type": "string"}),
    function(
        "add_to_list",
        "Put things on the shopping list or the list of things to do.",
        "list items",
        list={"type": "string", "enum": ["shopping", "to do"]},
        items={"type": "array", "items": {"type": "string"}},
    ),
    function("remember", "Keep a fact about the user for later.", "fact", fact={"type": "string"}),
)


def has(**expected: Any) -> Check:
    """Return a check that arguments have these values; texts need only contain theirs."""

    def check(arguments: dict[str, Any]) -> bool:
        for name, value in expected.items():
            got = arguments.get(name)
            if isinstance(value, str):
                if value not in json.dumps(got).lower():
                    return False
            elif got != value:
                return False
        return True

    return check


REQUESTS: tuple[tuple[str, str, Check], ...] = (
    ("Turn on the light in the kitchen.", "set_light", has(room="kitchen", on=True)),
    ("Switch off the bedroom light, please.", "set_light", has(room="bedroom", on=False)),
    ("Dim the living room to thirty percent.", "set_light", has(room="living room", brightness=30)),
    ("It is too dark in the bathroom.", "set_light", has(room="bathroom", on=True)),
    ("Kill the lights in the living room.", "set_light", has(room="living room", on=False)),
    ("Set the bedroom to eighteen degrees.", "set_temperature", has(room="bedroom", degrees=18)),
    ("Make it 22.5 degrees in the bathroom.", "set_temperature", has(room="bathroom", degrees=22.5)),
    ("I'd like the living room at 21.", "set_temperature", has(room="living room", degrees=21)),
    ("Open the garage door.", "move_cover", has(cover="garage door", action="open")),
    ("Please close the blinds.", "move_cover", has(cover="blinds", action="close")),
    ("Shut the front gate.", "move_cover", has(cover="front gate", action="close")),
    ("Let the sun in, open the blinds.", "move_cover", has(cover="blinds", action="open")),
    ("Play some jazz.", "control_music", has(action="play", query="jazz")),
    ("Pause the music.", "control_music", has(action="pause")),
    ("I don't like this song, next one.", "control_music", has(action="skip")),
    ("Put on the Beatles.", "control_music", has(action="play", query="beatles")),
    ("Is the front door locked?", "get_state", has(device="front door")),
    ("Has the washing machine finished?", "get_state", has(device="washing machine")),
    ("How cold is it outside?", "get_state", has(device="outdoor temperature")),
    ("Did I leave the oven on?", "get_state", has(device="oven")),
    ("What's the weather like in Paris?", "get_weather", has(place="paris")),
    ("Will it rain in Tokyo tomorrow?", "get_weather", has(place="tokyo", day="tomorrow")),
    ("Do I need an umbrella in London today?", "get_weather", has(place="london")),
    ("Set a timer for ten minutes.", "set_timer", has(minutes=10)),
    ("Wake me in half an hour.", "set_timer", has(minutes=30)),
    ("Add milk and eggs to the shopping list.", "add_to_list", has(list="shopping", items="milk")),
    ("We are out of coffee, put it on the list.", "add_to_list", has(list="shopping", items="coffee")),
    ("Remind me that I still have to call the plumber.", "add_to_list", has(list="to do", items="plumber")),
    ("Remember that my daughter is called Emma.", "remember", has(fact="emma")),
    ("Please note that I am allergic to peanuts.", "remember", has(fact="peanut")),
)
CHATS = (
    "Hello, how are you today?",
    "Tell me a joke.",
    "I had a really bad day at work.",
    "What is the capital of France?",
    "Thank you, that was helpful.",
    "How many legs does a spider have?",
    "I'm bored, what could I do this evening?",
    "Who wrote Romeo and Juliet?",
    "What is seven times eight?",
    "I just got a new puppy!",
)
RESULTS: tuple[tuple[str, Call, str, str], ...] = (
    ("Is the front door locked?", Call("c", "get_state", '{"device": "front door"}'), "unlocked", "unlocked"),
    (
        "Did I leave the oven on?",
        Call("c", "get_state", '{"device": "oven"}'),
        '{"state": "on"}',
        r"\bon\b|yes",
    ),
    (
        "How cold is it outside?",
        Call("c", "get_state", '{"device": "outdoor temperature"}'),
        '{"celsius": -4}',
        "-4|four|minus 4",
    ),
    (
        "What's the weather like in Paris?",
        Call("c", "get_weather", '{"place": "Paris"}'),
        '{"condition": "thunderstorm", "high": 23}',
        "thunder|23",
    ),
    (
        "Set a timer for ten minutes.",
        Call("c", "set_timer", '{"minutes": 10}'),
        '{"ok": true}',
        "timer|ten|10",
    ),
    (
        "Open the garage door.",
        Call("c", "move_cover", '{"cover": "garage door", "action": "open"}'),
        '{"error": "the door is blocked"}',
        "block|error|could not|unable|cannot|can't",
    ),
)


@dataclass
class Answer:
    """What came of one request, and when: seconds."""

    text: str = ""
    calls: list[list[str]] = field(default_factory=list)
    first: float = 0.0
    end: float = 0.0
    finished: Finished | None = None

    @property
    def tokens(self) -> int:
        """Tokens that were written."""
        return self.finished.output_tokens if self.finished else 0

    def __str__(self) -> str:
        calls = [f"{name}{arguments}" for name, arguments in self.calls]
        return " | ".join(filter(None, [self.text.strip(), *calls]))


async def ask(model: LanguageModel, messages: tuple[Message, ...], temperature: float) -> Answer:
    """Ask, and read the whole answer."""
    prompt = Prompt((Message("system", INSTRUCTIONS), *messages), functions=FUNCTIONS)
    answer, began = Answer(), time.monotonic()
    async with aclosing(model.generate(prompt, max_tokens=MAX_TOKENS, temperature=temperature)) as pieces:
        async for piece in pieces:
            if not answer.first and not isinstance(piece, Finished):
                answer.first = time.monotonic() - began
            match piece:
                case TextDelta(text=text):
                    answer.text += text
                case CallStarted(name=name):
                    answer.calls.append([name, ""])
                case ArgumentsDelta(text=text):
                    answer.calls[-1][1] += text
                case Finished():
                    answer.finished = piece
    answer.end = time.monotonic() - began
    return answer


def judge(answer: Answer, name: str, check: Check) -> tuple[bool, bool]:
    """Tell whether the first call is of the right function, and whether its arguments are right."""
    if not answer.calls or answer.calls[0][0] != name:
        return False, False
    try:
        return True, check(json.loads(answer.calls[0][1]))
    except ValueError:  # cut short
        return True, False


async def measure(arguments: argparse.Namespace) -> None:
    """Ask everything, and print what came."""
    async with AsyncExitStack() as stack:
        choice = PROFILES[arguments.profile].language_model
        if not isinstance(choice, Known):
            raise SystemExit(f"{arguments.profile} has no language model of its own")
        model = await LlamaLanguageModel.load(
            await ensure(choice.name), name=choice.name, threads=arguments.threads
        )
        stack.push_async_callback(model.close)
        await ask(model, (Message("user", "Hello."),), 0.0)
        calls: list[Answer] = []
        right = fitting = told = 0
        false: list[Answer] = []
        words: list[Answer] = []
        for _ in range(arguments.rounds):
            for request, name, check in REQUESTS:
                answer = await ask(model, (Message("user", request),), arguments.temperature)
                named, argued = judge(answer, name, check)
                right, fitting = right + named, fitting + argued
                if answer.calls:
                    calls.append(answer)
                show(request, answer, good=argued, all_of_them=arguments.verbose)
            for request in CHATS:
                answer = await ask(model, (Message("user", request),), arguments.temperature)
                (false if answer.calls else words).append(answer)
                show(request, answer, good=not answer.calls, all_of_them=arguments.verbose)
            for request, call, result, expected in RESULTS:
                messages = (
                    Message("user", request),
                    Message("assistant", calls=(call,)),
                    Message("tool", result, call_id="c"),
                )
                answer = await ask(model, messages, arguments.temperature)
                good = not answer.calls and bool(re.search(expected, answer.text.lower()))
                told += good
                show(f"{request} {result}", answer, good=good, all_of_them=arguments.verbose)
    rounds = arguments.rounds
    prompt = words[0].finished.input_tokens if words and words[0].finished else 0
    print(f"\n{choice.name}, temperature {arguments.temperature}, about {prompt} prompt tokens")
    for label, count, of in (
        ("right function", right, len(REQUESTS)),
        ("right arguments", fitting, len(REQUESTS)),
        ("false calls", len(false), len(CHATS)),
        ("results told", told, len(RESULTS)),
    ):
        print(f"{label:20}{count / rounds:6.1f} of {of}")
    print(f"{'tokens of a call':20}{statistics.mean(one.tokens for one in calls):6.1f}")
    print(f"{'s to its name':20}{statistics.median(one.first for one in calls):6.2f}")
    print(f"{'s to its end':20}{statistics.median(one.end for one in calls):6.2f}")
    print(f"{'s to the first word':20}{statistics.median(one.first for one in words):6.2f}")


def show(request: str, answer: Answer, *, good: bool, all_of_them: bool) -> None:
    """Print what was answered, where that is of interest."""
    if all_of_them or not good:
        print(f"{'  ' if good else '✗ '}{request}  →  {answer}", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--profile", choices=list(PROFILES), default="default", help="whose language model")
    parser.add_argument("--temperature", type=float, default=0.4)
    parser.add_argument("--rounds", type=int, default=1, help="ask everything so many times")
    parser.add_argument("--threads", type=int, help="threads of the model, by default one less than cores")
    parser.add_argument("-v", "--verbose", action="store_true", help="show all answers, not only wrong ones")
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
