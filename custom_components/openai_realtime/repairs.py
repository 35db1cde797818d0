"""Repairs: an agent whose model is gone takes another."""

from typing import TYPE_CHECKING, Any

import voluptuous as vol
from homeassistant.components.repairs import RepairsFlow
from homeassistant.const import CONF_MODEL
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .agent import VivaVoceEntry
from .const import AGENT, DEPRECATED_MODELS, DOMAIN
from .vivavoce.client.prices import undated

if TYPE_CHECKING:
    from homeassistant.components.repairs import RepairsFlowResult


@callback
def async_check_models(hass: HomeAssistant, entry: VivaVoceEntry) -> None:
    """Create an issue for each agent that asks for a model that is gone, and delete the others."""
    for subentry in entry.subentries.values():
        if subentry.subentry_type != AGENT:
            continue
        issue = f"model_{subentry.subentry_id}"
        model = str(subentry.data.get(CONF_MODEL, ""))
        replacement = DEPRECATED_MODELS.get(undated(model))
        if replacement is None:
            ir.async_delete_issue(hass, DOMAIN, issue)
            continue
        ir.async_create_issue(
            hass,
            DOMAIN,
            issue,
            is_fixable=True,
            severity=ir.IssueSeverity.WARNING,
            translation_key="model_deprecated",
            translation_placeholders={"agent": subentry.title, "model": model},
            data={
                "entry_id": entry.entry_id,
                "subentry_id": subentry.subentry_id,
                "agent": subentry.title,
                "model": model,
                "replacement": replacement,
            },
        )


@callback
def async_forget_issues(hass: HomeAssistant, *owners: str) -> None:
    """Delete the issues of entries and subentries that are gone, by their ids."""
    for owner in owners:
        for kind in ("model", "mcp", "quota"):
            ir.async_delete_issue(hass, DOMAIN, f"{kind}_{owner}")


class ModelFlow(RepairsFlow):
    """Let an agent ask for another model."""

    def __init__(self, data: dict[str, Any]) -> None:
        self._data = data

    async def async_step_init(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:  # noqa: ARG002
        """Begin."""
        return await self.async_step_confirm()

    async def async_step_confirm(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Ask, and do it."""
        facts = {key: str(self._data[key]) for key in ("agent", "model", "replacement")}
        if user_input is None:
            return self.async_show_form(
                step_id="confirm", data_schema=vol.Schema({}), description_placeholders=facts
            )
        entry = self.hass.config_entries.async_get_entry(str(self._data["entry_id"]))
        subentry = entry.subentries.get(str(self._data["subentry_id"])) if entry else None
        if entry is not None and subentry is not None:
            self.hass.config_entries.async_update_subentry(
                entry, subentry, data={**subentry.data, CONF_MODEL: facts["replacement"]}
            )
        return self.async_create_entry(data={})


async def async_create_fix_flow(
    hass: HomeAssistant,  # noqa: ARG001 - the interface
    issue_id: str,  # noqa: ARG001
    data: dict[str, str | int | float | None] | None,
) -> RepairsFlow:
    """Return the flow that repairs an issue."""
    return ModelFlow(dict(data or {}))
