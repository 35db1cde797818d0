"""The card for dashboards: its modules are served, and the frontend is told to load them."""

import hashlib
from pathlib import Path

from homeassistant.components.http import StaticPathConfig
from homeassistant.core import HomeAssistant

from .const import DOMAIN

__all__ = ["async_setup_card"]

FOLDER = Path(__file__).with_name("frontend")
CARD = "homeassistant/card.js"


async def async_setup_card(hass: HomeAssistant) -> None:
    """Let every dashboard know the card, where there are dashboards.

    The modules import each other by relative addresses, so it is the folder that carries their version: a browser that
    has loaded one of them keeps none of another version.
    """
    if "frontend" not in hass.config.components:
        return
    from homeassistant.components.frontend import add_extra_js_url  # noqa: PLC0415 - where it is there

    version = await hass.async_add_executor_job(_version)
    folder = f"/{DOMAIN}/{version}"
    await hass.http.async_register_static_paths([StaticPathConfig(folder, str(FOLDER), cache_headers=True)])
    add_extra_js_url(hass, f"{folder}/{CARD}?v={version}")


def _version() -> str:
    """Return a name for what the modules are now."""
    content = hashlib.sha256()
    for module in sorted(FOLDER.rglob("*.js")):
        content.update(module.read_bytes())
    return content.hexdigest()[:12]
