"""In what two sequences of server events differ, beyond what differs between any two sessions."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

ABSENT = "(absent)"
ORDER = "(order)"
RECORDED_ONLY = "(recorded only)"
OURS_ONLY = "(ours only)"
KEY_ORDER = "(order of the fields)"

Event = dict[str, Any]

ID = re.compile(r"(sess|conv|item|resp|call)_\w+")


@dataclass(frozen=True)
class Difference:
    """One thing that differs: a field (by its path) of an event, or an event that is missing or elsewhere."""

    event: str
    where: str
    recorded: Any = None
    ours: Any = None


def normalised(events: list[Event]) -> list[Event]:
    """Return what can be compared of events.

    All deltas of one part are one, where the first of them was: how a server cuts them is its own affair, and so is
    their padding. Of audio only that there is some counts, of counted tokens only that they are numbers.
    """
    streams: dict[tuple[Any, ...], Event] = {}
    kept = []
    for told in events:
        event = {
            key: _plain(key, value) for key, value in told.items() if key not in ("event_id", "obfuscation")
        }
        if event["type"].endswith(".delta"):
            key = tuple(value for key, value in event.items() if key != "delta")
            if event["type"] == "response.output_audio.delta":
                event["delta"] = "(audio)" if event["delta"] else ""
            elif key in streams:
                streams[key]["delta"] += event["delta"]
            if key in streams:
                continue
            streams[key] = event
        kept.append(event)
    return kept


def _plain(key: str, value: Any) -> Any:
    if key in ("usage", "rate_limits"):
        return _uncounted(value)
    return {k: _plain(k, v) for k, v in value.items()} if isinstance(value, dict) else value


def _uncounted(value: Any) -> Any:
    match value:
        case dict():
            return {key: _uncounted(inner) for key, inner in value.items()}
        case list():
            return [_uncounted(inner) for inner in value]
        case int() | float():
            return "(number)"
        case _:
            return value


def _kind(event: Event) -> tuple[Any, ...]:
    """Return what makes two events counterparts of each other."""
    item = event.get("item", {})
    return event["type"], event.get("output_index"), item.get("type"), item.get("role")


def differences(recorded: list[Event], ours: list[Event]) -> list[Difference]:
    """Compare two normalised sequences of events."""
    comparison = _Comparison()
    return list(comparison.of(recorded, ours))


@dataclass
class _Comparison:
    """Ids correspond one to one: the first time that two of them meet, they are married for the whole session."""

    ours_of: dict[str, str] = field(default_factory=dict)
    recorded_of: dict[str, str] = field(default_factory=dict)

    def of(self, recorded: list[Event], ours: list[Event]) -> Iterator[Difference]:
        pairs: list[tuple[Event, Event]] = []
        left: list[Event] = []
        right: list[Event] = []
        matcher = SequenceMatcher(
            None, [_kind(event) for event in recorded], [_kind(event) for event in ours], autojunk=False
        )
        for kind, i, j, k, m in matcher.get_opcodes():
            if kind == "equal":
                pairs += zip(recorded[i:j], ours[k:m], strict=True)
            else:
                left += recorded[i:j]
                right += ours[k:m]
        for event in left:
            twin = next((other for other in right if _kind(other) == _kind(event)), None)
            if twin is None:
                yield Difference(event["type"], RECORDED_ONLY)
            else:
                right.remove(twin)
                pairs.append((event, twin))
                yield Difference(event["type"], ORDER)
        yield from (Difference(event["type"], OURS_ONLY) for event in right)
        for one, other in pairs:
            yield from self._of(one["type"], "", one, other)

    def _of(self, event: str, where: str, recorded: Any, ours: Any) -> Iterator[Difference]:
        match recorded, ours:
            case dict(), dict():
                yield from self._of_objects(event, where, recorded, ours)
            case list(), list() if len(recorded) == len(ours):
                for index, (one, other) in enumerate(zip(recorded, ours, strict=True)):
                    yield from self._of(event, f"{where}[{index}]", one, other)
            case str(), str() if ID.fullmatch(recorded) and ID.fullmatch(ours):
                married = self.ours_of.setdefault(recorded, ours), self.recorded_of.setdefault(ours, recorded)
                same_kind = recorded.split("_")[0] == ours.split("_")[0]
                if married != (ours, recorded) or not same_kind:
                    yield Difference(event, where, recorded, ours)
            case _ if type(recorded) is not type(ours) or recorded != ours:
                yield Difference(event, where, recorded, ours)

    def _of_objects(self, event: str, where: str, recorded: Event, ours: Event) -> Iterator[Difference]:
        for key in recorded | ours:
            path = f"{where}.{key}".removeprefix(".")
            if key in recorded and key in ours:
                yield from self._of(event, path, recorded[key], ours[key])
            else:
                yield Difference(event, path, recorded.get(key, ABSENT), ours.get(key, ABSENT))
        common = recorded.keys() & ours.keys() - {"type"}  # ours comes first: it says how to read the rest
        if [key for key in recorded if key in common] != [key for key in ours if key in common]:
            yield Difference(event, f"{where} {KEY_ORDER}".strip(), list(recorded), list(ours))
