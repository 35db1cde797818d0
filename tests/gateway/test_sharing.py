import sys

import pytest

from vivavoce.errors import VivaVoceError
from vivavoce.gateway.calls import Calls
from vivavoce.gateway.limits.settings import LimitSettings
from vivavoce.gateway.resume.tokens import Tokens
from vivavoce.gateway.sharing import choose_processes


def _choose(url):
    return choose_processes(LimitSettings(redis_url=url), Tokens(), Calls())


async def test_a_process_is_alone_or_has_a_name():
    assert _choose(None) is None
    processes = _choose("redis://127.0.0.1:1/0")
    assert processes.name
    await processes.link.close()


def test_an_address_that_is_none_is_told_without_its_password():
    with pytest.raises(VivaVoceError, match="VIVAVOCE_REDIS_URL") as raised:
        _choose("http://user:secret@a.example")
    assert "secret" not in str(raised.value)


def test_a_package_that_is_missing_is_named(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("vivavoce.gateway.shared.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.ciphers.aead", None)
    with pytest.raises(VivaVoceError, match=r"vivavoce\[redis\]"):
        _choose("redis://127.0.0.1:1/0")
