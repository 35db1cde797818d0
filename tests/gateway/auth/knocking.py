"""What a client does at the door of a gateway."""

SECRETS = "/v1/realtime/client_secrets"


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


async def enter(running, path="/v1/realtime?model=m", **kwargs):
    async with running.connect(path, **kwargs) as ws:
        assert (await ws.receive_json())["type"] == "session.created"


async def mint(running, key="", *, query="", headers=None, status=200, **asked):
    given = {**(bearer(key) if key else {}), **(headers or {})}
    async with running.client.post(running.url(SECRETS + query), json=asked, headers=given) as response:
        answer = await response.json()
        assert response.status == status, answer
        return answer["value"] if status == 200 else answer["error"]
