"""The policy's file: YAML, JSON or TOML. What is wrong in it is told with its place."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import msgspec
import yaml

from vivavoce.errors import VivaVoceError
from vivavoce.gateway.policy.fields import SHORT, paths, spelt_out
from vivavoce.gateway.policy.rules import Policy, Rules
from vivavoce.protocol.client_events import ClientEvent

__all__ = ["EVENTS", "PolicyFileError", "parse_policy", "read_policy"]

EVENTS = frozenset(str(kind.__struct_config__.tag) for kind in get_args(ClientEvent))
"""The types of all events that a client can send."""

_SECTIONS = ("default", "groups", "keys", "sessions")
_PLACE = re.compile(r" - at `\$?(?P<path>[^`]*)`$")
_UNKNOWN = re.compile(r"unknown field `(?P<name>[^`]*)`")

Path_ = tuple[str | int, ...]


class PolicyFileError(VivaVoceError):
    """The file cannot be read, or says something that a policy cannot say."""


class _Finding(Exception):  # noqa: N818 - becomes a PolicyFileError
    def __init__(self, path: Path_, says: str) -> None:
        super().__init__(says)
        self.path = path
        self.says = says


def read_policy(path: Path) -> Policy:
    """Read a policy. Raises `PolicyFileError` with the file, the line where it is known, the place and the reason."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise PolicyFileError(
            f"{path} cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from error
    return parse_policy(text, name=str(path), toml=path.suffix == ".toml")


def parse_policy(text: str, *, name: str = "policy", toml: bool = False) -> Policy:
    """Make a policy of a text, which is YAML, or JSON, or TOML."""
    tree: yaml.Node | None = None
    try:
        if toml:
            content = tomllib.loads(text)
        else:
            tree = yaml.compose(text, yaml.SafeLoader)
            content = yaml.safe_load(text)
            _refuse_twins(tree, ())
        return _policy({} if content is None else content)
    except tomllib.TOMLDecodeError as error:
        raise PolicyFileError(f"{name}: {error}") from error
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise PolicyFileError(f"{name}{line}: {error.problem}") from error
    except yaml.YAMLError as error:
        raise PolicyFileError(f"{name}: {error}") from error
    except _Finding as finding:
        at = _line(tree, finding.path)
        where = f"{name}:{at}" if at else name
        raise PolicyFileError(f"{where}: {_written(finding.path)}: {finding.says}") from None


def _policy(content: Any) -> Policy:
    if not isinstance(content, Mapping):
        raise _Finding((), f"expected the sections {', '.join(_SECTIONS)}")
    for section in content:
        if section not in _SECTIONS:
            raise _Finding((section,), f"expected one of the sections {', '.join(_SECTIONS)}")
    sessions = content.get("sessions")
    if sessions is not None and (not isinstance(sessions, int) or isinstance(sessions, bool) or sessions < 1):
        raise _Finding(("sessions",), f"expected a whole number from 1, got {sessions!r}")
    return Policy(
        default=_rules(content.get("default"), ("default",)),
        groups=_named(content, "groups"),
        keys=_named(content, "keys"),
        sessions=sessions,
    )


def _named(content: Mapping[str, Any], section: str) -> dict[str, Rules]:
    named = content.get(section)
    if named is None:
        return {}
    if not isinstance(named, Mapping) or not all(isinstance(name, str) for name in named):
        raise _Finding((section,), "expected names, each with its rules")
    return {name: _rules(rules, (section, name)) for name, rules in named.items()}


def _rules(content: Any, path: Path_) -> Rules:
    if content is None:
        return Rules()
    if isinstance(content, Mapping) and isinstance(session := content.get("session"), Mapping):
        content = {**content, "session": {"type": "realtime", **session}}
    try:
        rules = msgspec.convert(content, Rules)
    except msgspec.ValidationError as error:
        raise _found(str(error), path) from None
    for index, field in enumerate(rules.locked or []):
        if spelt_out(field) not in paths():
            expected = "a field of a session, such as " + ", ".join(sorted(("instructions", "tools", *SHORT)))
            raise _Finding((*path, "locked", index), f"expected {expected}; got {field!r}")
    for index, event in enumerate(rules.events or []):
        if event not in EVENTS:
            raise _Finding(
                (*path, "events", index), f"expected one of {', '.join(sorted(EVENTS))}; got {event!r}"
            )
    return rules


def _found(says: str, path: Path_) -> _Finding:
    """Tell what msgspec found, at its place below ``path``."""
    if (place := _PLACE.search(says)) is not None:
        says = says[: place.start()]
        for name, index in re.findall(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]", place["path"]):
            if index == "...":
                break
            path = (*path, name or int(index))
    if (unknown := _UNKNOWN.search(says)) is not None:
        path = (*path, unknown["name"])
        says = "there is no such field"
    return _Finding(path, says[:1].lower() + says[1:])


def _refuse_twins(node: yaml.Node | None, path: Path_) -> None:
    """Refuse names that stand twice at one place: YAML would let the last win, in silence."""
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if key.value in seen:
                raise _Finding((*path, key.value), "stands here twice")
            seen.add(key.value)
            _refuse_twins(value, (*path, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _refuse_twins(value, (*path, index))


def _line(node: yaml.Node | None, path: Path_) -> int | None:
    """Return the line of a place, or of the nearest above it; None where the format does not tell."""
    if node is None:
        return None
    line: int = node.start_mark.line
    for part in path:
        if isinstance(node, yaml.MappingNode):
            matches = [(key, value) for key, value in node.value if key.value == part]
            if not matches:
                break
            key, node = matches[-1]
            line = key.start_mark.line
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line
        else:
            break
    return line + 1


def _written(path: Path_) -> str:
    written = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return written.removeprefix(".") or "the file"
