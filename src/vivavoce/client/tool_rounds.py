"""From the calls of a response to the next response. Pure.

A response may call several tools. Each result goes back as soon as it is there; when all are, the model is asked
to go on, unless somebody has begun to speak meanwhile: the turn's own response then knows the results too.
"""

from collections.abc import Container
from dataclasses import dataclass, field

from vivavoce.protocol.codec import UnknownEvent
from vivavoce.protocol.items import FunctionCall
from vivavoce.protocol.server_events import (
    ConversationItemAdded,
    InputAudioBufferSpeechStarted,
    ResponseDone,
    ResponseOutputItemDone,
    ServerEvent,
    SessionCreated,
)

__all__ = ["ToolRounds"]


@dataclass(slots=True)
class _Round:
    """The calls of one response."""

    pending: set[str] = field(default_factory=set)
    """``call_id`` of each call whose result is not there yet."""
    left_alone: bool = False
    """Whether the next response is not for us to ask for: somebody has begun to speak, or calls tools of their own."""
    ended: bool = False


class ToolRounds:
    """Give it every server event and every result; it says what to call, and when to ask for the next response.

    ``ours`` holds the names of the tools that are called here; what calls others too is left to who serves those.
    """

    def __init__(self, ours: Container[str]) -> None:
        self._ours = ours
        self._rounds: dict[str, _Round] = {}
        self._placed: set[str] = set()

    def fold(self, event: ServerEvent | UnknownEvent) -> FunctionCall | None:
        """Take a server event; return the call that is to be made now, if it is one."""
        match event:
            case ConversationItemAdded(item=FunctionCall(id=item_id)):
                self._placed.add(
                    item_id
                )  # a call out of band is in no conversation, which could take its result
            case ResponseOutputItemDone(item=FunctionCall() as call, response_id=response_id):
                if call.id in self._placed and call.status != "incomplete":
                    one = self._rounds.setdefault(response_id, _Round())
                    if call.name in self._ours:
                        one.pending.add(call.call_id)
                        return call
                    one.left_alone = True
            case InputAudioBufferSpeechStarted():
                for one in self._rounds.values():
                    one.left_alone = True
            case ResponseDone(response=response) if response.id in self._rounds:
                self._rounds[response.id].ended = True
                self._placed.clear()
            case SessionCreated():
                self._renew()
        return None

    @property
    def open(self) -> bool:
        """Whether the model has yet to be asked to go on after a call."""
        return bool(self._rounds)

    def result(self, call_id: str) -> bool:
        """Note that a result was sent; return whether it is time to ask for a response."""
        for response_id, one in self._rounds.items():
            if call_id in one.pending:
                one.pending.discard(call_id)
                return self._over(response_id)
        return False

    def ended(self, response_id: str) -> bool:
        """Note that a response is done; return whether it is time to ask for the next."""
        return response_id in self._rounds and self._over(response_id)

    def _renew(self) -> None:
        """Expect no more of the responses of the session before; results that are under way are still awaited."""
        self._placed.clear()
        self._rounds = {response_id: one for response_id, one in self._rounds.items() if one.pending}
        for one in self._rounds.values():
            one.ended = True

    def _over(self, response_id: str) -> bool:
        one = self._rounds[response_id]
        if one.pending or not one.ended:
            return False
        del self._rounds[response_id]
        return not one.left_alone
