"""What a browser may ask of a session, and what it is told of it. Pure.

A browser belongs to a user, who may talk with an agent but is not its owner: its instructions, its tools and its key
are none of the browser's business, so events pass by a list of what is allowed.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from .vivavoce.client.conversation_item import ConversationItem
from .vivavoce.errors import ProtocolError
from .vivavoce.protocol import client_events as client
from .vivavoce.protocol import server_events as server
from .vivavoce.protocol.codec import UnknownEvent, decode_client_event
from .vivavoce.protocol.items import InputText, MessageItem, OutputText

__all__ = ["Asked", "Wishes", "asked", "item_event", "session_event", "told"]

MOST_CHARACTERS = 8_000
"""Of one written message."""

Asked = (
    client.InputAudioBufferCommit
    | client.InputAudioBufferClear
    | client.ConversationItemCreate
    | client.ConversationItemDelete
    | client.ConversationItemTruncate
    | client.ResponseCreate
    | client.ResponseCancel
    | client.OutputAudioBufferClear
)
"""What may be asked, but for the wishes of a ``session.update``, and for audio, which comes in binary."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a browser may choose of a session; the agent's options decide the rest."""

    hands_free: bool = False
    """Whether the endpoint finds the end of speech, or the browser says so."""
    aloud: bool = True
    """Whether answers are spoken."""


def asked(event: dict[str, Any]) -> Asked | Wishes:
    """Read what a browser sends; raises `ProtocolError` for what the protocol, or we, do not allow."""
    read = decode_client_event(msgspec.json.encode(event))
    match read:
        case client.SessionUpdate():
            return _wishes(event["session"])
        case client.ConversationItemCreate(item=MessageItem() as item) if _is_said(item):
            return client.ConversationItemCreate(event_id=read.event_id, item=item)
        case client.ResponseCreate() if not event.get("response"):
            return read
        case (
            client.InputAudioBufferCommit()
            | client.InputAudioBufferClear()
            | client.ConversationItemDelete()
            | client.ConversationItemTruncate()
            | client.ResponseCancel()
            | client.OutputAudioBufferClear()
        ):
            return read
    raise ProtocolError(
        f"A card may not send this {event['type']}. Expected commit or clear of the input audio buffer, "
        "create (of what was said), delete or truncate of an item, create (without anything of its own) or cancel "
        "of a response, or an update of the session's turn detection.",
        code="not_allowed",
        param="type",
        event_id=read.event_id or None,
    )


def _is_said(item: MessageItem) -> bool:
    """Whether an item is a message that somebody wrote or said, of a length that can be."""
    part = {"user": InputText, "assistant": OutputText}.get(item.role)
    return (
        part is not None
        and all(isinstance(content, part) for content in item.content)
        and sum(len(getattr(content, "text", "")) for content in item.content) <= MOST_CHARACTERS
    )


def _wishes(session: dict[str, Any]) -> Wishes:
    heard = (session.get("audio") or {}).get("input") or {}
    return Wishes(
        hands_free=bool(heard.get("turn_detection")),
        aloud="audio" in (session.get("output_modalities") or ["audio"]),
    )


def told(event: Any) -> server.ServerEvent | UnknownEvent | None:
    """Return what of a server's event a browser is told; None for nothing."""
    match event:
        case server.SessionCreated() | server.SessionUpdated():
            return None  # each browser has a session of its own beginning
        case (
            server.ConversationItemAdded(item=MessageItem(role="system"))
            | server.ConversationItemCreated(item=MessageItem(role="system"))
            | server.ConversationItemDone(item=MessageItem(role="system"))
        ):
            return None
        case UnknownEvent():
            return None  # it may tell anything
        case server.Server():
            return event  # type: ignore[return-value]
    return None


def session_event(kind: str, session_id: str, model: str | None, wishes: Wishes) -> dict[str, Any]:
    """Return ``session.created`` or ``session.updated`` without what is not the browser's business."""
    return {
        "type": kind,
        "event_id": f"event_{session_id}",
        "session": {
            "type": "realtime",
            "object": "realtime.session",
            "id": session_id,
            "model": model,
            "output_modalities": ["audio" if wishes.aloud else "text"],
            "audio": {"input": {"turn_detection": {"type": "server_vad"} if wishes.hands_free else None}},
        },
    }


def item_event(item: ConversationItem) -> dict[str, Any] | None:
    """Return what tells a browser of an item that was there before it; None for what it is not told."""
    if item.type != "message" or item.role not in ("user", "assistant") or not item.words:
        return None
    part = {"type": "input_text" if item.role == "user" else "output_text", "text": item.words}
    return {
        "type": "conversation.item.added",
        "event_id": f"event_{item.id}",
        "item": {
            "id": item.id,
            "type": "message",
            "role": item.role,
            "status": "completed" if item.complete else "in_progress",
            "content": [part],
        },
    }
