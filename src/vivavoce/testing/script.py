"""What a scripted engine hears, says and calls, turn by turn, as YAML or JSON. Pure.

A turn is what leads to one response, and that response. ``docs/reference/script.md`` lists every field.
"""

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field

from vivavoce.errors import ScriptError

__all__ = [
    "Expect",
    "Failure",
    "FunctionCall",
    "Latency",
    "Script",
    "Turn",
    "parse_script",
]

Milliseconds = Annotated[float, Meta(ge=0, le=3_600_000)]

RawEvent = dict[str, Any]
"""A server event, to be sent as it stands."""


class Expect(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What must have come before a response; what is absent may be anything."""

    user: str | None = None
    """What the user said last, written or heard."""
    user_matches: str | None = None
    """A regular expression that is found in what the user said last."""
    output: Any = None
    """The output of a function, since the assistant spoke last; what is no text is compared with the output as JSON."""
    output_matches: str | None = None
    """A regular expression that is found in such an output."""

    def __post_init__(self) -> None:
        for name in ("user_matches", "output_matches"):
            try:
                re.compile(getattr(self, name) or "")
            except re.error as error:
                raise ValueError(
                    f"{name}: expected a regular expression, got one with an error: {error}"
                ) from error


class FunctionCall(Struct, forbid_unknown_fields=True, frozen=True):
    """A function that the assistant calls."""

    name: Annotated[str, Meta(min_length=1)]
    arguments: dict[str, Any] | str = field(default_factory=dict[str, Any])
    """An object, or text that is sent as it stands, even if it is no JSON."""

    @property
    def text(self) -> str:
        """The arguments as they go over the wire."""
        if isinstance(self.arguments, str):
            return self.arguments
        return json.dumps(self.arguments, ensure_ascii=False)


class Failure(Struct, forbid_unknown_fields=True, frozen=True):
    """Why a response fails, as its ``status_details.error`` tells."""

    message: str
    code: str = "server_error"
    type: str = "server_error"


class Turn(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What leads to a response, and the response."""

    expect: str | Expect | None = None
    """What must have come before; a text is what the user said."""
    hear: str | list[str] | None = None
    """What is understood of the user's speech, one text for each time that the user speaks; "" is no words at all."""
    fail_transcription: bool | str = False
    """Whether the user's speech cannot be transcribed, or the message that says so."""
    say: str | list[str] | None = None
    """What the assistant answers; a list is sent in these pieces, a text word by word."""
    call: FunctionCall | list[FunctionCall] | None = None
    """What the assistant calls, after what it says."""
    error: str | Failure | None = None
    """How the response fails, after what it says and calls; a text is the message."""
    incomplete: Literal["max_output_tokens", "content_filter"] | None = None
    """Why the response stops short, after what it says and calls."""
    delay_ms: Milliseconds | None = None
    """Before the first piece; that of the script, if absent."""
    pace_ms: Milliseconds | None = None
    """Between pieces; that of the script, if absent."""
    emit: list[RawEvent] = field(default_factory=list[RawEvent])
    """Server events that follow on ``response.created``."""
    emit_after: list[RawEvent] = field(default_factory=list[RawEvent])
    """Server events that follow on ``response.done``."""

    def __post_init__(self) -> None:
        if self.error is not None and self.incomplete is not None:
            raise ValueError("expected an `error` or `incomplete`, got both: a response ends once")
        if not (self.answers or self.hear is not None or self.fail_transcription):
            raise ValueError(
                "expected something to `hear`, to `say`, to `call`, or an `error`, got none of them"
            )
        _check(self.emit + self.emit_after)

    @property
    def answers(self) -> bool:
        """Whether there is a response to this turn; else it is only heard."""
        return (
            self.say is not None or bool(self.calls) or self.error is not None or self.incomplete is not None
        )

    @property
    def expected(self) -> Expect:
        """What must have come before."""
        return Expect(user=self.expect) if isinstance(self.expect, str) else self.expect or Expect()

    @property
    def heard(self) -> list[str]:
        """What is understood, one text after the other."""
        return [self.hear] if isinstance(self.hear, str) else self.hear or []

    @property
    def words(self) -> list[str]:
        """What is said, in the pieces that are sent; joined, they are all of it."""
        return re.findall(r"\s*\S+|\s+$", self.say) if isinstance(self.say, str) else self.say or []

    @property
    def calls(self) -> list[FunctionCall]:
        """What is called."""
        return [self.call] if isinstance(self.call, FunctionCall) else self.call or []

    @property
    def failure(self) -> Failure | None:
        """How the response fails."""
        return Failure(self.error) if isinstance(self.error, str) else self.error


class Latency(Struct, forbid_unknown_fields=True, frozen=True, rename={"inwards": "in", "outwards": "out"}):
    """How long an event is under way, in milliseconds."""

    inwards: Milliseconds = 0
    """From the client."""
    outwards: Milliseconds = 0
    """To the client."""


class Script(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A whole session, and every session anew."""

    turns: Annotated[list[Turn], Meta(min_length=1)]
    after: Literal["error", "last", "repeat"] = "error"
    """What answers when the turns have been played: a failing response, the last turn, or all of them again."""
    hear: str = "Hello."
    """What is understood where no turn says it."""
    delay_ms: Milliseconds = 0
    """Before the first piece of a response."""
    pace_ms: Milliseconds = 0
    """Between its pieces."""
    latency_ms: Milliseconds | Latency = 0
    """How long events are under way, in each direction."""
    speech: Literal["tone", "silence"] = "tone"
    """What the assistant's voice sounds like."""
    seed: int | None = None
    """Makes all identifiers, and ``expires_at``, the same each time."""
    emit: list[RawEvent] = field(default_factory=list[RawEvent])
    """Server events that follow on ``session.created``."""

    def __post_init__(self) -> None:
        _check(self.emit)

    @property
    def length(self) -> str:
        """How many turns there are, in words."""
        many = len(self.turns)
        return "1 turn" if many == 1 else f"{many} turns"

    @property
    def latency(self) -> Latency:
        """How long events are under way."""
        return (
            self.latency_ms
            if isinstance(self.latency_ms, Latency)
            else Latency(self.latency_ms, self.latency_ms)
        )


def parse_script(text: str, name: str = "script.yaml") -> Script:
    """Read a script from YAML or, if ``name`` ends with ``.json``, from JSON.

    Raises `ScriptError` with the name, the line (in YAML), the turn, what was expected and what came.
    """
    data, lines = _json(text, name) if name.endswith(".json") else _yaml(text, name)
    try:
        return msgspec.convert(data, Script)
    except msgspec.ValidationError as error:
        raise _refusal(str(error), name, lines) from error


Lines = dict[tuple[str | int, ...], int]
"""On which line each part of a document begins, by the way to it."""


def _json(text: str, name: str) -> tuple[Any, Lines]:
    try:
        return json.loads(text), {}
    except ValueError as error:
        raise ScriptError(f"{name}: expected JSON, got something else: {error}.") from error


def _yaml(text: str, name: str) -> tuple[Any, Lines]:
    try:
        import yaml  # noqa: PLC0415 - an extra, and JSON needs none
    except ModuleNotFoundError as missing:
        raise ScriptError(
            f"{name}: YAML needs a package: pip install 'vivavoce[testing]'; or write the script as JSON."
        ) from missing
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        lines: Lines = {}
        for way, key in _walk(node):
            if way in lines:
                raise ScriptError(
                    f"{name}, line {key.start_mark.line + 1}{_turn(way)}: expected {way[-1]!r} once, got it twice; "
                    f"the first is on line {lines[way]}."
                )
            lines[way] = key.start_mark.line + 1
        return loader.construct_document(node) if node is not None else None, lines
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark is not None else ""
        raise ScriptError(f"{name}{where}: expected YAML, got something else: {_said(error)}.") from error
    finally:
        loader.dispose()


def _said(error: Exception) -> str:
    return getattr(error, "problem", None) or str(error)


def _walk(node: Any, way: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yield the way to every part of a document, and where it begins."""
    match getattr(node, "id", None):
        case "mapping":
            for key, value in node.value:
                inner = (*way, str(key.value))
                yield inner, key
                yield from _walk(value, inner)
        case "sequence":
            for index, value in enumerate(node.value):
                yield (*way, index), value
                yield from _walk(value, (*way, index))


def _refusal(finding: str, name: str, lines: Lines) -> ScriptError:
    """Say where a script is wrong, in the words of who wrote it."""
    what, _, path = finding.partition(" - at `$")
    way: tuple[str | int, ...] = tuple(
        int(index) if index else key for key, index in re.findall(r"\.(\w+)|\[(\d+)\]", path)
    )
    unknown = re.search(r"unknown field `(.*)`", what)
    line = lines.get((*way, unknown[1]) if unknown else way)
    while line is None and way and lines:
        way = way[:-1]
        line = lines.get(way)
    inner = way[2:] if _turn(way) else way
    where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in inner).lstrip(".")
    place = f", line {line}" if line else ""
    return ScriptError(f"{name}{place}{_turn(way)}: {f'{where}: ' if where else ''}{what}.")


def _turn(way: tuple[str | int, ...]) -> str:
    return f" (turn {int(way[1]) + 1})" if way[:1] == ("turns",) and len(way) > 1 else ""


def _check(events: list[RawEvent]) -> None:
    for event in events:
        if type(event.get("type")) is not str:
            raise ValueError(
                f"expected a `type` in every event to emit, got {json.dumps(event, default=str)}"
            )
