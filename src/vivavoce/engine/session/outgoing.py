"""Where the parts of a session put what they want done, in order."""

from vivavoce.engine.session.effects import Effect, Send
from vivavoce.protocol.ids import Ids
from vivavoce.protocol.server_events import ServerEvent

__all__ = ["Outgoing"]


class Outgoing:
    """Effects in the order they were asked for; events get their ``event_id`` here."""

    def __init__(self, ids: Ids) -> None:
        self.ids = ids
        self._effects: list[Effect] = []

    def send(self, event: ServerEvent) -> None:
        """Send an event to the client."""
        event.event_id = self.ids.event()
        self._effects.append(Send(event))

    def ask(self, effect: Effect) -> None:
        """Ask the shell for anything else."""
        self._effects.append(effect)

    def take(self) -> list[Effect]:
        """Return what has gathered, and begin anew."""
        effects, self._effects = self._effects, []
        return effects
