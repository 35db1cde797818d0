"""Run the gateway's tools when the model calls them. Pure but for the tools, which work beside the session.

The endpoint has these tools beside the client's; the client is not told of them, of their calls or of their results,
unless it is to be shown them. When all results of a response are there, the model is asked to go on, unless somebody
has begun to speak or the client has calls of its own to answer. A tool holds up nothing but a ``response.create`` of a
client whose own results come first.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeVar

import msgspec

from vivavoce.client.responses import Responses
from vivavoce.client.tool import APPROVAL_SECONDS
from vivavoce.client.tool_rounds import ToolRounds
from vivavoce.errors import VivaVoceError
from vivavoce.gateway.passage import Down, Effect, Run, Stage, Up
from vivavoce.gateway.server_tools.hiding import Hiding
from vivavoce.protocol.client_events import ClientEvent, ConversationItemCreate, ResponseCreate, SessionUpdate
from vivavoce.protocol.codec import Frame, UnknownEvent
from vivavoce.protocol.ids import Ids
from vivavoce.protocol.items import FunctionCall, FunctionCallOutput, McpApprovalRequest, McpApprovalResponse
from vivavoce.protocol.server_events import (
    ConversationItemAdded,
    ConversationItemDone,
    ErrorEvent,
    ResponseDone,
    ResponseOutputItemDone,
    ServerEvent,
)
from vivavoce.protocol.session_params import RealtimeSessionParams
from vivavoce.protocol.tools import FunctionTool

__all__ = ["LABEL", "MOST_ROUNDS", "ServerToolStage", "joined"]

MOST_ROUNDS = 16
"""Responses in a row that only answer tools: a model that needs more goes round in circles, at somebody's expense."""

LABEL = "gateway"
"""The ``server_label`` of a request for approval."""

Runner = Callable[[str, str, str], Awaitable[str]]
"""Calls a tool by ``call_id``, name and arguments."""

T = TypeVar("T")

_OURS = "gateway_"
"""What the names of our events begin with."""

_IDS = Ids()

_REFUSED = '{"error":"The user did not allow this."}'
_UNASKED = '{"error":"The user was asked whether to allow this, and did not answer."}'


class ServerToolStage(Stage):
    """The gateway's tools in one session."""

    wants_up = frozenset({"session.update", "response.create", "conversation.item.create"})

    def __init__(
        self,
        tools: Sequence[FunctionTool],
        run: Runner,
        *,
        show: bool = False,
        approval: frozenset[str] = frozenset(),
    ) -> None:
        self._tools, self._run, self._approval = list(tools), run, approval
        names = frozenset(tool.name for tool in tools)
        self._rounds, self._responses = ToolRounds(names), Responses(name=f"{_OURS}response")
        self._hiding = Hiding(names, show=show, ours=_OURS)
        self._asked: dict[str, tuple[FunctionCall, float]] = {}
        """Calls that wait for the client's yes, by the id of the request, and since when."""
        self._running: dict[str, str] = {}
        """The response of each call that has no result yet."""
        self._shared: set[str] = set()
        """Responses that call tools of the client too."""
        self._held: list[Frame] = []
        self._in_a_row = 0
        self.wants_down = self._hiding.wants | {"error", "input_audio_buffer.speech_started"}

    def up(self, frame: Frame, now: float) -> Iterable[Effect]:  # noqa: ARG002 - nothing of it depends on the time
        """Take a client's event."""
        event = frame.client_event()
        match event:
            case SessionUpdate(session=RealtimeSessionParams(tools=list() as tools) as session):
                session = msgspec.structs.replace(session, tools=joined(tools, self._tools))
                return (Up(Frame.of(msgspec.structs.replace(event, session=session))),)
            case ResponseCreate():
                return self._create(event)
            case ConversationItemCreate(item=McpApprovalResponse() as answer):
                if (asked := self._asked.pop(answer.approval_request_id, None)) is not None:
                    return self._answered(asked[0], None if answer.approve else _REFUSED)
            case ConversationItemCreate():
                self._in_a_row = 0
        return (Up(frame),)

    def down(self, frame: Frame, now: float) -> Iterable[Effect]:
        """Take a server event."""
        event = frame.server_event()
        effects: list[Effect] = []
        if not (isinstance(event, ErrorEvent) and self._is_ours(event.error.event_id)):
            effects.extend(Down(shown) for shown in self._hiding.seen(frame, event))
        if frame.type == "input_audio_buffer.speech_started":
            self._in_a_row = 0
        self._note_sharing(event)
        call = self._rounds.fold(event)
        if call is not None and isinstance(event, ResponseOutputItemDone):
            self._running[call.call_id] = event.response_id
            effects.extend(self._begin(call, now))
        effects.extend(_up(self._responses.fold(event)))
        if isinstance(event, ResponseDone) and self._rounds.ended(event.response.id):
            effects.extend(self._go_on())
        return effects

    def tick(self, now: float) -> Iterable[Effect]:
        """Take no answer for a no."""
        late = [name for name, (_, since) in self._asked.items() if now - since >= APPROVAL_SECONDS]
        effects: list[Effect] = []
        for name in late:
            effects.extend(self._answered(self._asked.pop(name)[0], _UNASKED))
        return effects

    def _note_sharing(self, event: ServerEvent | UnknownEvent) -> None:
        match event:
            case ResponseOutputItemDone(item=FunctionCall() as call) if not self._hiding.is_ours(call):
                self._shared.add(event.response_id)
            case ResponseDone(response=response) if response.id not in self._running.values():
                self._shared.discard(response.id)

    def _begin(self, call: FunctionCall, now: float) -> Iterable[Effect]:
        if call.name not in self._approval:
            return self._answered(call, None)
        item = McpApprovalRequest(
            id=_IDS.item(), server_label=LABEL, name=call.name, arguments=call.arguments
        )
        self._asked[item.id] = (call, now)
        return [
            Down(Frame.of(kind(event_id=_IDS.event(), item=item)))
            for kind in (ConversationItemAdded, ConversationItemDone)
        ]

    def _answered(self, call: FunctionCall, refusal: str | None) -> Iterable[Effect]:
        """Make the call, or tell the model that it was not to be."""
        if refusal is not None:
            return self._finish(call, refusal)

        async def work() -> Iterable[Effect]:
            return self._finish(call, await self._run(call.call_id, call.name, call.arguments))

        return (Run(work),)

    def _finish(self, call: FunctionCall, result: str) -> list[Effect]:
        self._running.pop(call.call_id, None)
        output = FunctionCallOutput(id=_IDS.item(), call_id=call.call_id, output=result)
        self._hiding.hide(output.id)
        create = ConversationItemCreate(event_id=f"{_OURS}{output.id}", item=output)
        effects = _up([create])
        if self._rounds.result(call.call_id):
            effects.extend(self._go_on())
        if self._held and not self._must_wait():
            held, self._held = self._held, []
            effects.extend(Up(frame) for frame in held)
        return effects

    def _go_on(self) -> list[Effect]:
        if self._in_a_row >= MOST_ROUNDS:
            return []
        self._in_a_row += 1
        try:
            _, events = self._responses.request()
        except VivaVoceError:
            return []  # a conversation with so many responses to come goes on anyway
        return _up(events)

    def _create(self, event: ResponseCreate) -> Iterable[Effect]:
        self._in_a_row = 0
        if event.response and isinstance(tools := event.response.tools, list):
            response = msgspec.structs.replace(event.response, tools=joined(tools, self._tools))
            event = msgspec.structs.replace(event, response=response)
        frame = Frame.of(event)
        if self._must_wait():
            self._held.append(frame)
            return ()
        return (Up(frame),)

    def _must_wait(self) -> bool:
        """Whether results are missing of a response whose other calls the client answers."""
        return any(response_id in self._shared for response_id in self._running.values())

    def _is_ours(self, event_id: Any) -> bool:
        return isinstance(event_id, str) and event_id.startswith(_OURS)


def joined(theirs: Sequence[T], own: Sequence[FunctionTool]) -> list[T | FunctionTool]:
    """Return both, without those of a client that have a name of ours: no two may have one."""
    names = {tool.name for tool in own}
    return [*(tool for tool in theirs if getattr(tool, "name", None) not in names), *own]


def _up(events: Iterable[ClientEvent]) -> list[Effect]:
    return [Up(Frame.of(event)) for event in events]
