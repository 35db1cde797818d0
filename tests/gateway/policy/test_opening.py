import json

import aiohttp
import pytest

from tests.gateway.auth.knocking import bearer, mint
from tests.gateway.doubles import gateway
from vivavoce.gateway.auth.keys import make, write


@pytest.fixture
def house(tmp_path):
    """Return the settings of a gateway with a policy, and a way to make keys."""
    keys = []
    (tmp_path / "policy.yaml").write_text(
        "default: {instructions: Sell shoes., models: [gpt-realtime], locked: [tools]}\n"
        "keys: {shop: {ephemeral_group: visitors, locked: [], models: [gpt-realtime, large]}}\n"
        "groups: {visitors: {locked: [instructions], hide_instructions: true}}\n"
    )

    def key(name):
        value, made = make(name, now=0)
        keys.append(made)
        write(tmp_path / "keys.json", keys)
        return value

    return {"keys_file": tmp_path / "keys.json", "policy": tmp_path / "policy.yaml"}, key


async def test_a_session_begins_as_the_policy_says(house):
    settings, key = house
    async with gateway(**settings) as running:
        async with running.connect("/v1/realtime?model=gpt-realtime", headers=bearer(key("ada"))) as ws:
            await ws.receive_json()
            await ws.send_json({"type": "session.update", "session": {"type": "realtime", "tools": []}})
            assert (await ws.receive_json())["error"]["code"] == "field_locked"
        assert running.upstream.sessions[0].params.instructions == "Sell shoes."
        assert running.upstream.sessions[0].heard == []


async def test_a_model_that_is_not_allowed_is_refused_at_the_door(house):
    settings, key = house
    async with gateway(**settings) as running:
        status, error, _ = await running.refused("/v1/realtime?model=large", **bearer(key("ada")))
        assert (status, error["code"]) == (403, "model_not_allowed")
        async with running.connect("/v1/realtime?model=large", headers=bearer(key("shop"))):
            pass


async def test_sessions_of_ephemeral_keys_have_rules_of_their_own(house):
    settings, key = house
    async with gateway(**settings) as running:
        shop = key("shop")
        session = {"type": "realtime", "instructions": "Whisper."}
        value = await mint(running, shop, session=session)
        async with running.connect(headers=bearer(value)) as ws:
            await ws.receive_json()
            await ws.send_json({"type": "session.update", "session": session})
            error = (await ws.receive_json())["error"]
            assert (error["code"], error["param"]) == ("field_locked", "session.instructions")
            running.upstream.sessions[0].say({"type": "session.updated", "session": session})
            assert (await ws.receive_json())["session"]["instructions"] == ""
        assert running.upstream.sessions[0].params.instructions == "Sell shoes.\n\nWhisper."


async def test_a_key_is_not_made_for_what_its_maker_may_not_ask_for(house):
    settings, key = house
    async with gateway(**settings) as running:
        error = await mint(running, key("ada"), session={"type": "realtime", "tools": []}, status=400)
        assert (error["code"], error["param"]) == ("field_locked", "session.tools")


@pytest.mark.parametrize(
    ("session", "code"),
    [
        ({"type": "realtime", "tools": []}, "field_locked"),
        ({"type": "realtime", "model": "large"}, "model_not_allowed"),
    ],
)
async def test_a_call_may_ask_for_no_more_than_a_session(house, session, code):
    settings, key = house
    async with gateway(**settings) as running:
        form = {"sdp": "v=0", "session": json.dumps(session)}
        async with running.client.post(
            running.url("/v1/realtime/calls"),
            data=aiohttp.FormData(form, default_to_multipart=True),
            headers=bearer(key("ada")),
        ) as response:
            assert response.status in {400, 403}
            assert (await response.json())["error"]["code"] == code


async def test_keys_of_the_beta_are_made_by_the_same_rules(house):
    settings, key = house
    async with gateway(**settings) as running:
        asked = {"model": "gpt-realtime", "tools": []}
        async with running.client.post(
            running.url("/v1/realtime/sessions"), json=asked, headers=bearer(key("ada"))
        ) as response:
            assert (response.status, (await response.json())["error"]["code"]) == (400, "field_locked")
