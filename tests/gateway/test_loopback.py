import pytest

from vivavoce.gateway.loopback import is_loopback, is_wildcard, without_port


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", "LOCALHOST.", "a.localhost"]
)
def test_only_this_machine(host):
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "0.0.0.0", "192.168.0.1", "localhost.evil.example", "127.0.0.1.nip.io", "::2"]
)
def test_perhaps_another(host):
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("host", "wildcard"),
    [("", True), ("0.0.0.0", True), ("::", True), ("[::]", True), ("127.0.0.1", False), ("a.example", False)],
)
def test_all_addresses(host, wildcard):
    assert is_wildcard(host) is wildcard


@pytest.mark.parametrize(
    ("host", "name"),
    [("a.example:80", "a.example"), ("[::1]:80", "::1"), ("127.0.0.1", "127.0.0.1"), ("", ""), ("[", "")],
)
def test_ports_are_cut_off(host, name):
    assert without_port(host) == name
