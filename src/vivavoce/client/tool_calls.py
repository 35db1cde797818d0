"""The calls of a session: made as the model asks for them, and their results sent back."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from vivavoce.client.late_results import STARTED, UNDER_WAY, LateResults
from vivavoce.client.tasks import Tasks
from vivavoce.client.tool import ToolContext, result_text
from vivavoce.client.tool_rounds import ToolRounds
from vivavoce.client.toolbox import NOBODY, Toolbox
from vivavoce.protocol.codec import UnknownEvent
from vivavoce.protocol.ids import Ids
from vivavoce.protocol.items import FunctionCall, FunctionCallOutput
from vivavoce.protocol.responses import ResponseCreateParams
from vivavoce.protocol.server_events import ResponseDone, ServerEvent

if TYPE_CHECKING:
    import asyncio

__all__ = ["MOST_CALLS", "ToolCalls"]

MOST_CALLS = 32
"""Calls that may be at work at once; a model that makes more of them is going round in circles."""


class ToolCalls:
    """Give it every server event: it calls the tools in its box, tells each ``result``, and asks to ``go_on``.

    A call that works in the background is answered at once. What came of it is told when the conversation is
    ``free``, by a call and an output that the client puts into the conversation: they come as ``result`` too. A model
    that makes the same call again meanwhile starts nothing, and has to say something next.
    """

    def __init__(
        self,
        tasks: Tasks,
        *,
        result: Callable[[FunctionCall | FunctionCallOutput], None],
        go_on: Callable[[ResponseCreateParams | None], None],
        free: Callable[[], bool],
        toolbox: Toolbox | None = None,
        context: ToolContext = NOBODY,
        ids: Ids | None = None,
    ) -> None:
        self.toolbox = toolbox or Toolbox()
        self.context = context
        """For whom calls are made from now on."""
        self._rounds = ToolRounds(self.toolbox)
        self._late = LateResults(ids or Ids())
        self._tasks = tasks
        self._working: set[asyncio.Task[None]] = set()
        self._under_way: set[tuple[str, str]] = set()
        """Names and arguments of calls in the background."""
        self._repeats = False
        """Whether the model has made one of them again since it went on the last time."""
        self._result = result
        self._go_on = go_on
        self._free = free

    def take(self, event: ServerEvent | UnknownEvent) -> None:
        """Take a server event."""
        self._late.fold(event)
        call = self._rounds.fold(event)
        if call is not None:
            self._begin(call)
        if isinstance(event, ResponseDone) and self._rounds.ended(event.response.id):
            self._next()
        self._tell_late()

    def end(self) -> None:
        """Give up all calls that are at work: nobody will hear of them."""
        for task in self._working:
            task.cancel()

    def _begin(self, call: FunctionCall) -> None:
        if len(self._working) >= MOST_CALLS:
            self._answer(call, result_text({"error": f"{MOST_CALLS} calls are at work already."}))
            return
        task = self._tasks.spawn(self._make(call), f"tool {call.name}")
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _make(self, call: FunctionCall) -> None:
        if not self.toolbox.in_background(call.name, call.arguments):
            self._answer(call, await self._run(call))
        elif (call.name, call.arguments) in self._under_way:
            self._repeats = True
            self._answer(call, UNDER_WAY)
        else:
            self._under_way.add((call.name, call.arguments))
            self._answer(call, STARTED)
            try:
                self._late.add(call, await self._run(call))
            finally:
                self._under_way.discard((call.name, call.arguments))
            self._tell_late()

    async def _run(self, call: FunctionCall) -> str:
        return await self.toolbox.run(call.call_id, call.name, call.arguments, self.context)

    def _answer(self, call: FunctionCall, output: str) -> None:
        self._result(FunctionCallOutput(call_id=call.call_id, output=output))
        if self._rounds.result(call.call_id):
            self._next()

    def _tell_late(self) -> None:
        items = self._late.due(free=self._free() and not self._rounds.open)
        for item in items:
            self._result(item)
        if items:
            self._next()

    def _next(self) -> None:
        self._go_on(ResponseCreateParams(tool_choice="none") if self._repeats else None)
        self._repeats = False
