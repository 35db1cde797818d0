"""Keep the gateway's tools from a client: what it is told of a session that has them. Pure."""

from collections.abc import Iterable
from typing import Any

import msgspec

from vivavoce.client.responses import KEY
from vivavoce.protocol.codec import Frame, UnknownEvent
from vivavoce.protocol.items import FunctionCall, FunctionCallOutput
from vivavoce.protocol.server_events import ServerEvent

__all__ = ["Hiding"]

_PLACED = frozenset(
    {
        "conversation.item.added",
        "conversation.item.created",
        "conversation.item.done",
        "input_audio_buffer.committed",
        "response.output_item.added",
        "response.output_item.done",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
    }
)
_CONFIGURED = frozenset({"session.created", "session.updated"})
_RESPONSES = frozenset({"response.created", "response.done"})


class Hiding:
    """Which items of a conversation a client does not see."""

    def __init__(self, names: frozenset[str], *, show: bool, ours: str) -> None:
        """Hide the tools of these names.

        ``show``: the client sees their calls, though not the tools. ``ours`` is what the names of our events begin
        with.
        """
        self._names, self._show, self._ours = names, show, ours
        self._hidden: dict[str, str | None] = {}
        """The items that are hidden, and behind which item that is seen each of them stands."""
        self._calls: set[str] = set()

    @property
    def wants(self) -> frozenset[str]:
        """The types of the events that it has to look at."""
        return _PLACED | _CONFIGURED | _RESPONSES

    def is_ours(self, item: FunctionCall) -> bool:
        """Tell whether a call is for one of our tools."""
        return item.name in self._names

    def hide(self, item_id: str) -> None:
        """Hide an item that we add."""
        if not self._show:
            self._hidden[item_id] = None

    def seen(self, frame: Frame, event: ServerEvent | UnknownEvent) -> Iterable[Frame]:
        """Return what the client sees of an event: all of it, a part, or nothing."""
        if frame.type in _CONFIGURED:
            return (self._configured(frame),)
        if frame.type in _RESPONSES:
            return (self._responded(frame),)
        if self._show or frame.type not in _PLACED:
            return (frame,)
        item, before = _field(event, "item"), _field(event, "previous_item_id")
        item_id = getattr(item, "id", None) or _field(event, "item_id")
        if self._is_secret(item) or item_id in self._hidden:
            if item_id:
                kept = self._hidden.get(item_id)
                self._hidden[item_id] = kept or self._visible(before)
            return ()
        if before in self._hidden:
            return (frame.replace(previous_item_id=self._visible(before)),)
        return (frame,)

    def _is_secret(self, item: object) -> bool:
        if isinstance(item, FunctionCall) and self.is_ours(item):
            self._calls.add(item.call_id)
            return True
        return isinstance(item, FunctionCallOutput) and item.call_id in self._calls

    def _visible(self, item_id: Any) -> str | None:
        """Return the item itself, or the one that it stands behind for the client."""
        return self._hidden.get(item_id, item_id or None)

    def _configured(self, frame: Frame) -> Frame:
        session = msgspec.json.decode(frame.data).get("session")
        if not isinstance(session, dict) or not isinstance(tools := session.get("tools"), list):
            return frame
        own = [tool for tool in tools if not (isinstance(tool, dict) and tool.get("name") in self._names)]
        return frame.replace(session={**session, "tools": own})

    def _responded(self, frame: Frame) -> Frame:
        response = msgspec.json.decode(frame.data).get("response")
        if not isinstance(response, dict):
            return frame
        changes: dict[str, Any] = {}
        metadata = response.get("metadata")
        if isinstance(metadata, dict) and str(metadata.get(KEY)).startswith(self._ours):
            changes["metadata"] = {name: value for name, value in metadata.items() if name != KEY} or None
        if not self._show and isinstance(output := response.get("output"), list):
            seen = [
                item for item in output if not (isinstance(item, dict) and item.get("id") in self._hidden)
            ]
            changes["output"] = seen
        return frame.replace(response={**response, **changes}) if changes else frame


def _field(event: ServerEvent | UnknownEvent, name: str) -> Any:
    """Return a field of an event, whose shape may be newer than ours; None where it has none."""
    return event.data.get(name) if isinstance(event, UnknownEvent) else getattr(event, name, None)
