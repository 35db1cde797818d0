"""The calls of a session: made as the model asks for them, and their results sent back."""

from collections.abc import Callable

from vivavoce.client.tasks import Tasks
from vivavoce.client.tool_rounds import ToolRounds
from vivavoce.client.toolbox import Toolbox
from vivavoce.protocol.codec import UnknownEvent
from vivavoce.protocol.items import FunctionCall, FunctionCallOutput
from vivavoce.protocol.server_events import ResponseDone, ServerEvent

__all__ = ["ToolCalls"]


class ToolCalls:
    """Give it every server event: it calls the tools in its box, tells each ``result``, and asks to ``go_on``."""

    def __init__(
        self, tasks: Tasks, *, result: Callable[[FunctionCallOutput], None], go_on: Callable[[], None]
    ) -> None:
        self.toolbox = Toolbox()
        self._rounds = ToolRounds(self.toolbox)
        self._tasks = tasks
        self._result = result
        self._go_on = go_on

    def take(self, event: ServerEvent | UnknownEvent) -> None:
        """Take a server event."""
        call = self._rounds.fold(event)
        if call is not None:
            self._tasks.spawn(self._make(call), f"tool {call.name}")
        if isinstance(event, ResponseDone) and self._rounds.ended(event.response.id):
            self._go_on()

    async def _make(self, call: FunctionCall) -> None:
        output = await self.toolbox.run(call.call_id, call.name, call.arguments)
        self._result(FunctionCallOutput(call_id=call.call_id, output=output))
        if self._rounds.result(call.call_id):
            self._go_on()
