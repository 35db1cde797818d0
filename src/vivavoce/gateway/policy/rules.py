"""The rules: what a policy can say, and for whom. Pure."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from vivavoce.gateway.opening import Caller
from vivavoce.protocol.session_params import RealtimeSessionParams

__all__ = ["LIMITED", "Limits", "Policy", "Rules", "ToolRules"]

Positive = Annotated[int, Meta(ge=1)]
Amount = Annotated[float, Meta(gt=0)]


class Limits(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """How much one user may have; what is left out has no limit."""

    sessions: Positive | UnsetType = UNSET
    """Sessions at one time."""
    events_per_minute: Positive | UnsetType = UNSET
    """Events of the client, audio not counted."""
    audio_seconds_per_minute: Amount | UnsetType = UNSET
    """Seconds of speech that the client sends; 60 is one voice without pause."""
    tokens_per_day: Positive | UnsetType = UNSET
    """Tokens of responses and transcriptions, read and written. A day begins at midnight, UTC."""
    dollars_per_day: Amount | UnsetType = UNSET
    """What those tokens cost, by the table of ``vivavoce.client.prices``; models that are not in it cost nothing."""


LIMITED = Limits.__struct_fields__
"""The names of all limits."""


class ToolRules(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Which tools the gateway runs itself, and how."""

    serve: list[str] | UnsetType = UNSET
    """The names of tools that the gateway has; ``["*"]`` for all. None by default."""
    show: bool | UnsetType = UNSET
    """Whether the client sees these calls and their results. It does not by default."""
    approval: list[str] | UnsetType = UNSET
    """The names of tools that are called only when the client says yes; ``["*"]`` for all."""


class Rules(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What a key or a group may do; what is left out is as the rules beneath say, and free at last."""

    instructions: str | UnsetType = UNSET
    """Instructions that come before the client's own, and that no client is told."""
    hide_instructions: bool | UnsetType = UNSET
    """Whether the client is told of no instructions at all: neither its own, nor those that came with its ephemeral
    key."""
    session: RealtimeSessionParams | UnsetType = UNSET
    """What sessions begin with, whatever the client asks for; its fields are those of ``session.update``."""
    locked: list[str] | UnsetType = UNSET
    """Fields of the session, and of responses, that a client may not name: ``instructions``, ``tools``,
    ``audio.output.voice``. A field locks all beneath it. ``voice``, ``speed``, ``turn_detection``, ``transcription``
    and ``noise_reduction`` may be said for short."""
    models: list[str] | UnsetType = UNSET
    """The models that may be asked for."""
    events: list[str] | UnsetType = UNSET
    """The types of events that a client may send."""
    mcp_servers: list[str] | UnsetType = UNSET
    """Hosts of MCP servers that a client may let the endpoint call; none by default."""
    max_session_seconds: Amount | UnsetType = UNSET
    """Seconds that a session may last."""
    idle_seconds: Amount | UnsetType = UNSET
    """Seconds without speech, response or event of the client, after which the session ends."""
    max_message_bytes: Positive | UnsetType = UNSET
    """Longest event of a client."""
    max_item_bytes: Positive | UnsetType = UNSET
    """Longest item of a client."""
    ephemeral_group: str | UnsetType = UNSET
    """The group whose rules hold for sessions of ephemeral keys that are made with this key, instead of its own."""
    tools: ToolRules | UnsetType = UNSET
    """Which tools the gateway runs itself."""
    limits: Limits | UnsetType = UNSET
    """How much each user may have."""


class Policy(Struct, kw_only=True, frozen=True):
    """All rules: of everybody, of groups, of single keys. The closer ones win, field by field."""

    default: Rules = Rules()
    groups: Mapping[str, Rules] = {}
    keys: Mapping[str, Rules] = {}
    sessions: int | None = None
    """Sessions of all users at one time, in all processes that share their limits."""

    def rules(self, caller: Caller) -> Rules:
        """Return what holds for somebody."""
        nearer = (self.groups.get(caller.group), self.keys.get(caller.key) if caller.key else None)
        rules = self.default
        for one in nearer:
            if one is not None:
                rules = _over(rules, one)
        return rules


def _over(far: Any, near: Any) -> Any:
    """Lay rules over others: what the near ones leave out is as the far ones say."""
    changes = {}
    for name in near.__struct_fields__:
        value, below = getattr(near, name), getattr(far, name)
        if value is UNSET:
            continue
        nested = isinstance(value, Struct) and isinstance(below, type(value))
        changes[name] = _over(below, value) if nested else value
    return msgspec.structs.replace(far, **changes)
