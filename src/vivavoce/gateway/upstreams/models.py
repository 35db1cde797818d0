"""Which model a session gets, for the name that its client gave. Pure.

Clients outlive models. A name is looked up among the aliases; one that OpenAI has shut down is replaced, since a
session with it would be refused; one that is about to be is passed on, and warned about.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from vivavoce.errors import ProtocolError

__all__ = ["AS_OF", "DEPRECATED", "RETIRED", "Models", "Resolved"]

AS_OF = "2026-11"
"""When the tables below were read off OpenAI's page of deprecations (developers.openai.com/api/docs/deprecations)."""

RETIRED = {
    "gpt-4o-realtime-preview": "gpt-realtime-2.1",
    "gpt-4o-mini-realtime-preview": "gpt-realtime-2.1-mini",
}
"""Models of the beta, which ended on 2026-05-12, and what takes their place; their dated snapshots go with them."""

DEPRECATED = {
    "gpt-realtime": "gpt-realtime-2.1",
    "gpt-realtime-mini": "gpt-realtime-2.1-mini",
    "gpt-audio-mini": "gpt-realtime-2.1-mini",
}
"""Models that are shut down on 2027-01-20, and what to ask for instead."""

_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")


@dataclass(frozen=True, slots=True)
class Resolved:
    """What to ask the upstream for."""

    model: str
    warning: str = ""
    """What the client, and who runs the gateway, should know of the name; empty where there is nothing to say."""


class Models:
    """The rules for one upstream.

    ``default`` is for clients that name no model, and replaces those that are `RETIRED`. With ``openai``, retired ones
    are replaced in any case. ``allowed`` names the models that may be asked for, in the end; all where it is empty.
    """

    def __init__(
        self,
        *,
        aliases: Mapping[str, str] | None = None,
        allowed: tuple[str, ...] = (),
        default: str | None = None,
        openai: bool = False,
    ) -> None:
        self._aliases = dict(aliases or {})
        self._allowed = frozenset(allowed)
        self._openai = openai
        self.default = self._current(default) if default else None
        """What a client gets that names none; None where it must name one."""

    def resolve(self, asked: str) -> Resolved:
        """Return what to ask for where a client asks for ``asked``.

        Raises `ProtocolError` with the code ``model_not_found`` where that is not allowed.
        """
        named = self._aliases.get(asked, asked)
        model = self._current(named)
        if self._allowed and model not in self._allowed:
            raise ProtocolError(
                f"The model {asked!r} does not exist here, or you may not use it.",
                code="model_not_found",
                param="model",
            )
        if model != named:
            return Resolved(model, f"The model {named} is gone; {model} answers in its place.")
        if self._openai and (successor := DEPRECATED.get(_family(model))):
            return Resolved(
                model, f"The model {model} is deprecated and will be shut down; ask for {successor}."
            )
        return Resolved(model)

    def _current(self, model: str) -> str:
        """Return ``model``, or what takes its place."""
        successor = RETIRED.get(_family(model))
        if successor is None:
            return model
        default: str | None = getattr(self, "default", None)
        return default or (successor if self._openai else model)


def _family(model: str) -> str:
    return _SNAPSHOT.sub("", model)
