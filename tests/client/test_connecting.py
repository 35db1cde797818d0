import sys

import pytest

from tests.gateway.doubles import gateway
from vivavoce import RealtimeClient
from vivavoce.client.connecting import Address, connector
from vivavoce.errors import ConnectionFailed
from vivavoce.gateway.upstreams.local import LocalUpstream
from vivavoce.testing.engine import ScriptedEngine
from vivavoce.testing.script import Script, Turn


@pytest.fixture
async def running():
    turns = [Turn(expect="How are you?", say="Very well.")]
    async with gateway(LocalUpstream(ScriptedEngine(Script(turns=turns)))) as running:
        yield running


@pytest.fixture(autouse=True)
def only_this_machine(monkeypatch):
    monkeypatch.setattr(
        "aioice.ice.get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"] if use_ipv4 else []
    )


@pytest.mark.parametrize("transport", [None, "websocket", "webrtc"])
@pytest.mark.parametrize("path", ["", "/v1", "/v1/realtime?model=m"])
async def test_a_name_is_enough(running, transport, path):
    async with RealtimeClient(running.url(path), model="m", transport=transport) as client:
        assert (await (await client.send_text("How are you?"))).status == "completed"
        assert client.conversation.items[-1].transcript == "Very well."
        assert len(running.calls) == (transport == "webrtc")


class Peer:
    """What calls, in place of the real one."""

    asked = None

    @classmethod
    async def connect(cls, url, **how):
        cls.asked = (url, how)
        return cls()


@pytest.mark.parametrize(
    ("key", "model", "session"),
    [(None, "m", "m"), ("sk-1", None, "of the address"), ("ek_1", "m", None)],
    ids=["no key", "a key", "a key that says what the session is"],
)
async def test_a_call_says_what_it_begins_with(monkeypatch, key, model, session):
    monkeypatch.setattr("vivavoce.webrtc.peer.PeerTransport", Peer)
    url = "wss://voice.example/v1/realtime" + ("" if model else "?model=of+the+address")
    assert isinstance(await connector("webrtc", Address(url=url, api_key=key, model=model))(), Peer)
    url, how = Peer.asked
    assert url == "https://voice.example/v1"
    assert (how["api_key"], how["session"] and how["session"].model) == (key, session)


def test_who_knows_how_to_connect_is_asked():
    assert connector(connect := lambda: None, Address(url="http://nowhere")) is connect


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"transport": "quic"}, "expected 'websocket', 'webrtc' or what connects, got 'quic'"),
        ({"transport": "webrtc", "call_id": "rtc_1"}, "call_id: expected none"),
        ({"transport": "webrtc", "intent": "transcription"}, "intent: expected none"),
        ({"transport": "webrtc", "headers": {"X-A": "b"}}, "headers: expected none"),
    ],
)
def test_what_does_not_go_together_is_refused_at_once(options, why):
    with pytest.raises(ValueError, match=why):
        RealtimeClient("http://127.0.0.1:9/v1", **options)


async def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.delitem(sys.modules, "vivavoce.webrtc.peer", raising=False)
    monkeypatch.setitem(sys.modules, "aiortc", None)
    monkeypatch.delitem(sys.modules, "vivavoce.webrtc.leg", raising=False)
    with pytest.raises(ConnectionFailed, match=r"needs the package aiortc: pip install 'vivavoce\[webrtc\]'"):
        await connector("webrtc", Address(url="http://127.0.0.1:9/v1"))()
