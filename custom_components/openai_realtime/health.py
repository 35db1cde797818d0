"""Whether an agent's endpoint is there, and what its errors mean for all that comes."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from homeassistant.const import CONF_API_KEY, CONF_URL
from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_call_later

from .const import DOMAIN, LOGGER
from .dialling import FULL, probe
from .issues import async_create_tools_issue
from .live import EndpointRefused
from .vivavoce.client.retrying import FATAL_CODES
from .vivavoce.errors import ConnectionFailed, ConnectionLost, ProtocolError

if TYPE_CHECKING:
    from .agent import Agent
    from .vivavoce.client import RealtimeClient
    from .vivavoce.protocol.server_events import ErrorEvent, ResponseDone

__all__ = ["Health", "is_refused_key"]

QUOTA_CODES = frozenset({"insufficient_quota", "credit_balance_exhausted", "billing_hard_limit_reached"})
TOOLS_PARAM = "session.tools"
"""Where an endpoint says that it does not take an agent's tools."""
RETRY_SECONDS = 60.0
"""How often an endpoint that was away is looked for."""


def is_refused_key(error: BaseException) -> bool:
    """Whether an error says that the key is not, or no longer, good."""
    code = getattr(error, "code", None)
    return code in {"invalid_api_key", "account_deactivated"} or (
        isinstance(error, ConnectionFailed) and error.status in (401, 403) and code not in QUOTA_CODES
    )


class Health:
    """How an agent's endpoint is; ``changed`` is called when it goes, and when it is back."""

    def __init__(self, agent: Agent, changed: Callable[[], None]) -> None:
        self.available = True
        """Whether it was there when it was asked the last time."""
        self._agent = agent
        self._changed = changed
        self._retry: CALLBACK_TYPE | None = None
        self._closed = False

    @callback
    def follow(self, client: RealtimeClient) -> None:
        """Learn from what a session says."""
        client.on("response.done", self._answered)
        client.on("error", self._refused)

    @callback
    def close(self) -> None:
        """Look for it no more."""
        self._closed = True
        if self._retry is not None:
            self._retry()
            self._retry = None

    @callback
    def failed(self, error: BaseException) -> HomeAssistantError:
        """Note what an error means, and return it as one that Home Assistant shows."""
        hass, entry, subentry = self._agent.hass, self._agent.entry, self._agent.subentry
        code = getattr(error, "code", None) or ""
        if is_refused_key(error):
            entry.async_start_reauth(hass)
            return HomeAssistantError(translation_domain=DOMAIN, translation_key="invalid_auth")
        if code in QUOTA_CODES:
            ir.async_create_issue(
                hass,
                DOMAIN,
                f"quota_{entry.entry_id}",
                is_fixable=False,
                severity=ir.IssueSeverity.ERROR,
                translation_key="quota_exhausted",
                translation_placeholders={"entry": entry.title},
            )
            return HomeAssistantError(translation_domain=DOMAIN, translation_key="quota_exhausted")
        if code == FULL:  # it is there, and may have a place at any moment
            return HomeAssistantError(translation_domain=DOMAIN, translation_key="endpoint_full")
        if isinstance(error, ConnectionFailed | ConnectionLost) or code in FATAL_CODES:
            if self.available:
                self.available = False
                LOGGER.warning("Cannot reach %s: %s", entry.title, error)
                self._changed()
            self._look_again()
        if isinstance(error, ProtocolError) and (error.param or "").startswith(TOOLS_PARAM):
            async_create_tools_issue(hass, entry, subentry, error.message)
        key = "refused" if isinstance(error, EndpointRefused | ProtocolError) else "cannot_connect"
        return HomeAssistantError(
            translation_domain=DOMAIN, translation_key=key, translation_placeholders={"error": str(error)}
        )

    @callback
    def succeeded(self) -> None:
        """Note that the endpoint is there."""
        if not self.available:
            self.available = True
            LOGGER.info("%s is back", self._agent.entry.title)
            self._changed()

    @callback
    def _answered(self, event: ResponseDone) -> None:
        if event.response.status == "completed":
            ir.async_delete_issue(self._agent.hass, DOMAIN, f"quota_{self._agent.entry.entry_id}")

    @callback
    def _refused(self, event: ErrorEvent) -> None:
        """Take what an endpoint refuses in the middle: only what it means for all that comes is of interest."""
        if (code := event.error.code) in FATAL_CODES:
            self.failed(EndpointRefused(event.error.message, str(code)))

    @callback
    def _look_again(self) -> None:
        if self._retry is None and not self._closed:
            self._retry = async_call_later(self._agent.hass, RETRY_SECONDS, self._look)

    async def _look(self, _: Any) -> None:
        self._retry = None
        data = self._agent.entry.data
        try:
            await probe(self._agent.hass, data[CONF_URL], data.get(CONF_API_KEY), self._agent.model)
        except ConnectionFailed as failed:
            if failed.code != FULL:
                self._look_again()
                return
        self.succeeded()
