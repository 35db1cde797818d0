"""What cards ask over Home Assistant's own websocket, so that they work wherever Home Assistant itself is reached.

``openai_realtime/agents`` lists the agents. ``openai_realtime/session`` opens, or joins, the user's live session with
one; its events are those of the Realtime protocol, but for a first and a last one, whose types begin with the name of
the integration. ``openai_realtime/session/send`` brings the browser's events, ``openai_realtime/session/ack`` says how
many were taken, and speech comes as binary messages: one byte that names the handler, then PCM16 at 24 kHz, mono.

With an ``offer`` of a voice over WebRTC, a session may answer with a call between the card and the endpoint: then a
binary message of that one byte says that 40 ms of speech went by the call. ``openai_realtime/session/hang_up`` ends
it, and ``openai_realtime.hung_up`` tells that it is over: the session goes on, with its speech in binary messages.
"""

from typing import Any

import voluptuous as vol
from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.components import websocket_api
from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import entity_registry as er

from .agent import Agent, VivaVoceEntry
from .calling import MOST_OFFER_CHARACTERS, check_offer
from .card_session import CardSession
from .const import DOMAIN
from .listener import Listener
from .vivavoce.errors import ProtocolError

__all__ = ["async_setup_websocket_api"]

JOINED = f"{DOMAIN}.joined"
LEFT = f"{DOMAIN}.left"
"""The first and the last event."""


@callback
def async_setup_websocket_api(hass: HomeAssistant) -> None:
    """Register the commands."""
    for command in (_agents, _session, _send, _acknowledge, _hang_up):
        websocket_api.async_register_command(hass, command)


def _entity_id(hass: HomeAssistant, agent: Agent) -> str | None:
    return er.async_get(hass).async_get_entity_id(
        "conversation", DOMAIN, f"{agent.subentry.subentry_id}-conversation"
    )


def _allowed(hass: HomeAssistant, connection: ActiveConnection) -> dict[str, tuple[VivaVoceEntry, Agent]]:
    """Return the agents that a user may talk with, by their entities."""
    entries: list[VivaVoceEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    return {
        entity_id: (entry, agent)
        for entry in entries
        for agent in entry.runtime_data.agents.values()
        if (entity_id := _entity_id(hass, agent)) is not None
        and connection.user.permissions.check_entity(entity_id, POLICY_CONTROL)
    }


@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/agents"})
@callback
def _agents(hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]) -> None:
    """List the agents that the user may talk with."""
    connection.send_result(
        msg["id"],
        [
            {"entity_id": entity_id, "name": agent.subentry.title, "available": agent.available}
            for entity_id, (_, agent) in _allowed(hass, connection).items()
        ],
    )


class _Subscription:
    """A card at one end, and the session at the other; called when the card, or its page, goes away."""

    def __init__(self, connection: ActiveConnection, number: int, session: CardSession) -> None:
        self.session = session
        self.listener = Listener(self._send, self.end)
        self._connection = connection
        self._number = number
        self._prefix = b'{"id":%d,"type":"event","event":' % number
        self._handler, self._unregister = connection.async_register_binary_handler(self._hear)
        self._joined = self._over = False
        connection.subscriptions[number] = self

    @callback
    def __call__(self) -> None:
        """Leave; who calls this has taken it out of the connection's subscriptions, or will."""
        if not self._over:
            self._over = True
            self._unregister()
            self.session.leave(self.listener)

    async def begin(self, offer: str | None) -> None:
        """Listen and speak."""
        try:
            await self.session.open(self.listener, offer, self._join)
        except HomeAssistantError as error:
            if self._joined:
                self.end(error)
            else:
                self._leave()
                _refuse(self._connection, self._number, error)
            return
        if self._over:
            self.session.leave(self.listener)
        else:
            self._join()
            self.session.join(self.listener)

    @callback
    def _join(self, answer: str | None = None) -> bool:
        """Tell the card that it has joined, at once where its call waits for the answer; False where it was told."""
        if self._joined or self._over:
            return False
        self._joined = True
        self._connection.send_result(self._number)
        joined = {"type": JOINED, "subscription": self._number, "handler": self._handler}
        self._connection.send_event(self._number, joined | ({"answer": answer} if answer else {}))
        return True

    @callback
    def end(self, error: HomeAssistantError) -> None:
        """Tell the card that there will be no more, and why."""
        if not self._over:
            self._leave()
            self._connection.send_event(
                self._number,
                {
                    "type": LEFT,
                    "key": error.translation_key,
                    "placeholders": error.translation_placeholders or {},
                },
            )

    def _leave(self) -> None:
        self._connection.subscriptions.pop(self._number, None)
        self()

    def _send(self, data: bytes) -> None:
        self._connection.send_message(self._prefix + data + b"}")

    @callback
    def _hear(self, hass: HomeAssistant, connection: ActiveConnection, pcm: bytes) -> None:  # noqa: ARG002
        try:
            self.session.take(self.listener, pcm)
        except HomeAssistantError as error:
            self.end(error)
        except ProtocolError as error:
            self.end(
                HomeAssistantError(
                    translation_domain=DOMAIN,
                    translation_key="refused",
                    translation_placeholders={"error": str(error)},
                )
            )


@websocket_api.websocket_command(
    {
        vol.Required("type"): f"{DOMAIN}/session",
        vol.Optional("entity_id"): cv.entity_id,
        vol.Optional("language"): cv.string,
        vol.Optional("offer"): vol.All(cv.string, vol.Length(max=MOST_OFFER_CHARACTERS)),
    }
)
@websocket_api.async_response
async def _session(hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]) -> None:
    """Join the user's session with an agent: with the first there is, if none is named."""
    allowed = _allowed(hass, connection)
    entity_id = msg.get("entity_id") or next(iter(allowed), None)
    if entity_id not in allowed:
        _refuse(
            connection,
            msg["id"],
            HomeAssistantError(translation_domain=DOMAIN, translation_key="no_agent_for_card"),
        )
        return
    try:
        if offer := msg.get("offer"):
            check_offer(offer)
    except ProtocolError as error:
        connection.send_error(msg["id"], error.code or websocket_api.ERR_INVALID_FORMAT, error.message)
        return
    entry, agent = allowed[entity_id]
    session = entry.runtime_data.cards.session(hass, agent, connection.user.id, msg.get("language"))
    await _Subscription(connection, msg["id"], session).begin(offer)


def _refuse(connection: ActiveConnection, number: int, error: HomeAssistantError) -> None:
    """Answer with an error that the card can say in its language; it is no reason for a line in the log."""
    connection.send_error(
        number,
        websocket_api.ERR_HOME_ASSISTANT_ERROR,
        str(error),
        translation_domain=error.translation_domain,
        translation_key=error.translation_key,
        translation_placeholders=error.translation_placeholders,
    )


def _subscription(connection: ActiveConnection, msg: dict[str, Any]) -> _Subscription | None:
    """Return what a message is for; answers it where that is over."""
    found = connection.subscriptions.get(msg["subscription"])
    if isinstance(found, _Subscription):
        return found
    _refuse(
        connection,
        msg["id"],
        HomeAssistantError(translation_domain=DOMAIN, translation_key="session_ended"),
    )
    return None


@websocket_api.websocket_command(
    {
        vol.Required("type"): f"{DOMAIN}/session/send",
        vol.Required("subscription"): int,
        vol.Required("event"): dict,
    }
)
@callback
def _send(hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]) -> None:  # noqa: ARG001
    """Send a client event of the protocol to a session."""
    if (subscription := _subscription(connection, msg)) is None:
        return
    try:
        subscription.session.take(subscription.listener, msg["event"])
    except HomeAssistantError as error:
        _refuse(connection, msg["id"], error)
    except ProtocolError as error:
        connection.send_error(msg["id"], error.code or websocket_api.ERR_INVALID_FORMAT, error.message)
    else:
        connection.send_result(msg["id"])


@websocket_api.websocket_command(
    {
        vol.Required("type"): f"{DOMAIN}/session/ack",
        vol.Required("subscription"): int,
        vol.Required("count"): vol.All(int, vol.Range(min=1)),
    }
)
@callback
def _acknowledge(hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]) -> None:  # noqa: ARG001
    """Note how many events a card has taken."""
    if (subscription := _subscription(connection, msg)) is not None:
        subscription.listener.acknowledge(msg["count"])
        connection.send_result(msg["id"])


@websocket_api.websocket_command(
    {vol.Required("type"): f"{DOMAIN}/session/hang_up", vol.Required("subscription"): int}
)
@callback
def _hang_up(hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]) -> None:  # noqa: ARG001
    """End the card's call, which did not come about, or has broken; the session goes on without."""
    if (subscription := _subscription(connection, msg)) is not None:
        subscription.session.hang_up(subscription.listener)
        connection.send_result(msg["id"])
