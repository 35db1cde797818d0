"""Where an endpoint is, and what it wants to be told to let somebody in. Pure, but for the environment's proxies."""

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.request import getproxies, proxy_bypass

from yarl import URL

from vivavoce.errors import ConnectionFailed

__all__ = ["credentials", "environment_proxy", "realtime_url", "shown"]

_SCHEMES = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}

_AZURE = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")
"""Hosts of Azure OpenAI, where a key is no bearer token."""


def realtime_url(
    url: str, model: str | None = None, *, call_id: str | None = None, intent: str | None = None
) -> URL:
    """Return the WebSocket address for what a user may give as an address.

    ``http(s)`` becomes ``ws(s)``, an address of an API (``https://host/v1``) or of a server alone leads to its
    ``/realtime``. One thing is asked for there, unless the address names it: the session that controls a call
    (``call_id``), one that is ``intent``'s (``transcription``), or one with ``model``. Azure's form is
    ``https://NAME.openai.azure.com/openai/v1``, with the name of a deployment as the model. Raises
    `ConnectionFailed` for what is no such address.
    """
    try:
        given = URL(url.strip())
    except ValueError as error:
        raise ConnectionFailed(f"Expected the address of an endpoint, and got {url!r}: {error}.") from error
    if given.scheme not in _SCHEMES or not given.host:
        raise ConnectionFailed(
            f"Expected an address such as ws://127.0.0.1:8000/v1/realtime, and got {url!r}."
        )
    path = given.path.rstrip("/") or ("/openai/v1" if _is_azure(given) else "/v1")
    if not path.endswith("/realtime"):
        path += "/realtime"
    address = given.with_scheme(_SCHEMES[given.scheme]).with_path(path).with_query(given.query)
    if {"model", "call_id", "intent"} & address.query.keys():
        return address
    asked = (
        {"call_id": call_id}
        if call_id
        else {"intent": intent}
        if intent
        else {"model": model}
        if model
        else {}
    )
    return address.update_query(asked)


def credentials(address: URL, api_key: str | None) -> Mapping[str, str]:
    """Return the headers by which an endpoint knows who comes; an Azure token, which is no key, is a bearer's too."""
    if not api_key:
        return {}
    if _is_azure(address) and not api_key.startswith("ey"):
        return {"api-key": api_key}
    return {"Authorization": f"Bearer {api_key}"}


def environment_proxy(address: URL) -> URL | None:
    """Return the proxy that the environment (``HTTPS_PROXY``, ``NO_PROXY``, …) has for an address.

    This machine itself is always reached directly.
    """
    host = address.host or ""
    if _is_loopback(host) or proxy_bypass(host):
        return None
    proxies = getproxies()
    proxy = proxies.get("https" if address.scheme == "wss" else "http") or proxies.get("all")
    return URL(proxy) if proxy else None


def shown(url: URL) -> str:
    """Return an address without its user, password and query, any of which may be secret."""
    return str(url.with_user(None).with_query(None))


def _is_azure(address: URL) -> bool:
    return (address.host or "").endswith(_AZURE)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
