"""Repairs: an agent whose model is gone takes another, and one whose tools are too many takes fewer."""

from typing import TYPE_CHECKING, Any, ClassVar

import voluptuous as vol
from homeassistant.components.repairs import RepairsFlow
from homeassistant.const import CONF_LLM_HASS_API, CONF_MODEL
from homeassistant.core import HomeAssistant

from .const import DOMAIN

if TYPE_CHECKING:
    from homeassistant.components.repairs import RepairsFlowResult


class AgentFlow(RepairsFlow):
    """Change an agent's options, if the user wants it. ``shown`` are the facts that the question names."""

    shown: ClassVar[tuple[str, ...]]

    def __init__(self, data: dict[str, Any]) -> None:
        self._data = data

    def better(self) -> dict[str, Any]:
        """Return the options that are to be others."""
        raise NotImplementedError

    async def async_step_init(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:  # noqa: ARG002
        """Begin."""
        return await self.async_step_confirm()

    async def async_step_confirm(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Ask, and do it."""
        if user_input is None:
            return self.async_show_form(
                step_id="confirm",
                data_schema=vol.Schema({}),
                description_placeholders={key: str(self._data[key]) for key in self.shown},
            )
        entry = self.hass.config_entries.async_get_entry(str(self._data["entry_id"]))
        subentry = entry.subentries.get(str(self._data["subentry_id"])) if entry else None
        if entry is not None and subentry is not None:
            self.hass.config_entries.async_update_subentry(
                entry, subentry, data={**subentry.data, **self.better()}
            )
        return self.async_create_entry(data={})


class ModelFlow(AgentFlow):
    """Let an agent ask for another model."""

    shown = ("agent", "model", "replacement")

    def better(self) -> dict[str, Any]:
        """Return the model that replaces it."""
        return {CONF_MODEL: str(self._data["replacement"])}


class ToolsFlow(AgentFlow):
    """Let an agent use the tools of this integration alone."""

    shown = ("agent", "error")

    def better(self) -> dict[str, Any]:
        """Return the one API."""
        return {CONF_LLM_HASS_API: [DOMAIN]}


async def async_create_fix_flow(
    hass: HomeAssistant,  # noqa: ARG001 - the interface
    issue_id: str,
    data: dict[str, str | int | float | None] | None,
) -> RepairsFlow:
    """Return the flow that repairs an issue."""
    flow = ToolsFlow if issue_id.startswith("tools_") else ModelFlow
    return flow(dict(data or {}))
