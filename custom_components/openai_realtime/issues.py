"""Issues that somebody has to know of: made, and taken back."""

from typing import TYPE_CHECKING

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_LLM_HASS_API, CONF_MODEL
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import AGENT, DEPRECATED_MODELS, DOMAIN
from .vivavoce.client.prices import undated

if TYPE_CHECKING:
    from .agent import VivaVoceEntry

__all__ = ["async_check_agents", "async_create_tools_issue", "async_forget_issues"]


@callback
def async_check_agents(hass: HomeAssistant, entry: VivaVoceEntry) -> None:
    """Create an issue for each agent that asks for a model that is gone, and delete those of all others."""
    for subentry in entry.subentries.values():
        if subentry.subentry_type != AGENT:
            continue
        ir.async_delete_issue(hass, DOMAIN, f"tools_{subentry.subentry_id}")  # what it may use is asked anew
        issue = f"model_{subentry.subentry_id}"
        model = str(subentry.data.get(CONF_MODEL, ""))
        replacement = DEPRECATED_MODELS.get(undated(model))
        if replacement is None:
            ir.async_delete_issue(hass, DOMAIN, issue)
            continue
        facts = {"model": model, "replacement": replacement}
        severity = ir.IssueSeverity.WARNING
        _create(hass, entry, subentry, issue, "model_deprecated", severity=severity, **facts)


@callback
def async_create_tools_issue(
    hass: HomeAssistant, entry: VivaVoceEntry, subentry: ConfigSubentry, error: str
) -> None:
    """Create an issue for an agent whose tools its endpoint refuses, unless it has but those of this integration."""
    if subentry.data.get(CONF_LLM_HASS_API) == [DOMAIN]:
        return
    issue = f"tools_{subentry.subentry_id}"
    _create(hass, entry, subentry, issue, "tools_refused", severity=ir.IssueSeverity.ERROR, error=error)


def _create(
    hass: HomeAssistant,
    entry: VivaVoceEntry,
    subentry: ConfigSubentry,
    issue: str,
    key: str,
    *,
    severity: ir.IssueSeverity,
    **facts: str,
) -> None:
    """Create an issue of an agent that its repair, which is told these facts, can mend."""
    told = {"agent": subentry.title, **facts}
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue,
        is_fixable=True,
        severity=severity,
        translation_key=key,
        translation_placeholders=told,
        data={"entry_id": entry.entry_id, "subentry_id": subentry.subentry_id, **told},
    )


@callback
def async_forget_issues(hass: HomeAssistant, *owners: str) -> None:
    """Delete the issues of entries and subentries that are gone, by their ids."""
    for owner in owners:
        for kind in ("model", "tools", "mcp", "quota"):
            ir.async_delete_issue(hass, DOMAIN, f"{kind}_{owner}")
