import pytest
from yarl import URL

from vivavoce.client.endpoints import credentials, environment_proxy, realtime_url, shown
from vivavoce.errors import ConnectionFailed

AZURE = "https://mine.openai.azure.com"


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("ws://127.0.0.1:8000/v1/realtime", "ws://127.0.0.1:8000/v1/realtime?model=m"),
        ("ws://127.0.0.1:8000/v1/realtime?model=other", "ws://127.0.0.1:8000/v1/realtime?model=other"),
        ("http://127.0.0.1:8000/v1", "ws://127.0.0.1:8000/v1/realtime?model=m"),
        ("http://127.0.0.1:8000/v1/", "ws://127.0.0.1:8000/v1/realtime?model=m"),
        ("http://127.0.0.1:8000", "ws://127.0.0.1:8000/v1/realtime?model=m"),
        ("https://api.example.org/v1", "wss://api.example.org/v1/realtime?model=m"),
        ("https://example.org/openai/v1", "wss://example.org/openai/v1/realtime?model=m"),
        (
            "wss://example.org/v1/realtime?api-version=1",
            "wss://example.org/v1/realtime?api-version=1&model=m",
        ),
        (AZURE, "wss://mine.openai.azure.com/openai/v1/realtime?model=m"),
        (f"{AZURE}/openai/v1/", "wss://mine.openai.azure.com/openai/v1/realtime?model=m"),
        ("wss://example.org/v1/realtime?call_id=rtc_1", "wss://example.org/v1/realtime?call_id=rtc_1"),
        (" ws://[::1]:8000/realtime ", "ws://[::1]:8000/realtime?model=m"),
    ],
)
def test_what_users_give_as_an_address_is_understood(given, address):
    assert str(realtime_url(given, "m")) == address


def test_without_a_model_none_is_asked_for():
    assert str(realtime_url("http://localhost:8000")) == "ws://localhost:8000/v1/realtime"


@pytest.mark.parametrize("given", ["", "localhost", "ftp://host/v1", "ws://", "ws://host:port/"])
def test_what_is_no_address_is_refused(given):
    with pytest.raises(ConnectionFailed, match="Expected"):
        realtime_url(given)


@pytest.mark.parametrize(
    ("asked", "query"),
    [
        ({"model": "m", "call_id": "rtc_1"}, "call_id=rtc_1"),
        ({"model": "m", "intent": "transcription"}, "intent=transcription"),
        ({"call_id": "rtc_1", "intent": "transcription"}, "call_id=rtc_1"),
    ],
)
def test_one_thing_is_asked_for(asked, query):
    assert realtime_url("http://localhost:8000", **asked).query_string == query


@pytest.mark.parametrize(
    ("url", "key", "headers"),
    [
        ("https://api.example.org/v1", "sk-1", {"Authorization": "Bearer sk-1"}),
        ("https://api.example.org/v1", "ek_1", {"Authorization": "Bearer ek_1"}),
        (AZURE, "0123abcd", {"api-key": "0123abcd"}),
        (AZURE, "eyJhbGciOi.x.y", {"Authorization": "Bearer eyJhbGciOi.x.y"}),
        ("https://openai.azure.com.example.org", "sk-1", {"Authorization": "Bearer sk-1"}),
        (AZURE, None, {}),
    ],
)
def test_a_key_goes_where_it_belongs(url, key, headers):
    assert credentials(URL(url), key) == headers


@pytest.mark.parametrize(
    ("address", "proxy"),
    [
        ("wss://api.example.org/v1/realtime", "http://user:word@proxy:3128"),
        ("ws://api.example.org/v1/realtime", "http://plain:3128"),
        ("wss://inside.example.net/v1/realtime", None),
        ("ws://127.0.0.1:8000/v1/realtime", None),
        ("ws://[::1]:8000/v1/realtime", None),
        ("ws://localhost:8000/v1/realtime", None),
    ],
)
def test_the_proxies_of_the_environment(monkeypatch, address, proxy):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://user:word@proxy:3128")
    monkeypatch.setenv("HTTP_PROXY", "http://plain:3128")
    monkeypatch.setenv("NO_PROXY", "example.net")
    found = environment_proxy(URL(address))
    assert (str(found) if found else None) == proxy


def test_what_may_be_shown_of_an_address():
    assert shown(URL("wss://me:secret@host/v1/realtime?api-key=x")) == "wss://host/v1/realtime"
