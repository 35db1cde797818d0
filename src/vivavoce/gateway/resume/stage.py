"""Telling a client the token with which it may come back, where no client minds: in ``session.created``."""

from collections.abc import Iterable

from vivavoce.gateway.passage import Down, Effect, Stage
from vivavoce.protocol.codec import Frame

__all__ = ["TellToken"]


class TellToken(Stage):
    """Adds ``resume`` {token, seconds} to the first ``session.created``."""

    wants_down = frozenset({"session.created"})

    def __init__(self, token: str, seconds: float) -> None:
        self._resume: dict[str, str | float] | None = {"token": token, "seconds": seconds}

    def down(self, frame: Frame, now: float) -> Iterable[Effect]:  # noqa: ARG002 - whenever it is
        """Add it."""
        resume, self._resume = self._resume, None
        return (Down(frame if resume is None else frame.replace(resume=resume)),)
