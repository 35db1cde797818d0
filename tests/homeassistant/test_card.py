"""The card's modules: whole, served where there are dashboards, and from another address when they are others."""

import re
from pathlib import Path

import pytest
from homeassistant.components.frontend import DATA_EXTRA_MODULE_URL
from yarl import URL

import custom_components.openai_realtime as integration
from custom_components.openai_realtime import card

FOLDER = Path(integration.__file__).with_name("frontend")
IMPORTED = re.compile(r"""(?:from|import|import\(|new URL\() *['"](\.[^'"]+)['"]""")


@pytest.fixture
def dashboards(home):
    """Return the addresses that pages of a Home Assistant with dashboards load."""
    urls = home.data[DATA_EXTRA_MODULE_URL] = set()
    home.config.components.add("frontend")
    return urls


async def test_all_that_the_card_imports_is_served(home, dashboards, hass_client_no_auth):
    await card.async_setup_card(home)
    client = await hass_client_no_auth()
    open_ = {URL(url).path for url in dashboards}
    seen = set()
    while open_ - seen:
        path = (open_ - seen).pop()
        seen.add(path)
        reply = await client.get(path)
        assert reply.status == 200, path
        assert "javascript" in reply.headers["content-type"]
        assert "max-age" in reply.headers["cache-control"]
        code = re.sub(r"/\*.*?\*/", "", await reply.text(), flags=re.DOTALL)
        open_ |= {URL(path).join(URL(imported)).path for imported in IMPORTED.findall(code)}
    assert len(seen) == len(list(FOLDER.rglob("*.js")))
    assert not [name for name in seen if name.endswith(("voice-page.js", "realtime-voice.js"))]


async def test_nothing_is_served_where_there_are_no_dashboards(home):
    await card.async_setup_card(home)
    assert DATA_EXTRA_MODULE_URL not in home.data


async def test_another_version_has_another_address(home, dashboards, monkeypatch, tmp_path):
    await card.async_setup_card(home)
    (tmp_path / "homeassistant").mkdir()
    (tmp_path / "homeassistant" / "card.js").write_text("// other")
    monkeypatch.setattr(card, "FOLDER", tmp_path)
    await card.async_setup_card(home)
    assert len(dashboards) == 2
