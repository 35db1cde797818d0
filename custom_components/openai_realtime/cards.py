"""The sessions that cards have with an entry's agents."""

from homeassistant.core import HomeAssistant, callback

from .agent import Agent
from .card_session import CardSession

__all__ = ["Cards"]


class Cards:
    """The sessions of an entry's cards, one for each user and agent; ``len`` counts those that are open."""

    def __init__(self) -> None:
        self._sessions: dict[tuple[str, str], CardSession] = {}

    def __len__(self) -> int:
        return sum(session.is_open for session in self._sessions.values())

    @property
    def places(self) -> int:
        """How many there are, and will be in a moment."""
        return sum(session.has_place for session in self._sessions.values())

    def of(self, agent: Agent) -> int:
        """Return how many are open with an agent."""
        return sum(
            session.is_open
            for (owner, _), session in self._sessions.items()
            if owner == agent.subentry.subentry_id
        )

    @callback
    def session(self, hass: HomeAssistant, agent: Agent, user_id: str, language: str | None) -> CardSession:
        """Return the session of a user with an agent, which may not be open yet."""
        key = (agent.subentry.subentry_id, user_id)
        if key not in self._sessions:
            self._sessions[key] = CardSession(hass, agent, user_id, language)
        return self._sessions[key]

    async def close(self, agent: Agent | None = None) -> None:
        """End all, or those with one agent."""
        for (owner, _), session in list(self._sessions.items()):
            if agent is None or owner == agent.subentry.subentry_id:
                await session.close()
