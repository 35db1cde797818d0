"""What all tests share: no network but loopback, and ports that are free."""

import ipaddress
import os
import socket

import pytest

os.environ["VIVAVOCE_HISTORY"] = "off"  # no test writes into the folder of who runs it; also for processes


class OutsideNetworkError(AssertionError):
    """A test reached for another machine."""


def _is_local(family, address):
    if family not in {socket.AF_INET, socket.AF_INET6}:
        return True  # AF_UNIX: the event loop's own socket pairs, and the like
    try:
        host = ipaddress.ip_address(address[0].partition("%")[0])
    except ValueError:
        return address[0] == "localhost"
    return host.is_loopback or _is_own(family, address)


def _is_own(family, address):
    """Tell whether it is an address of this machine: what is sent there, as peers of a call do, stays here."""
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address[0], 0, *address[2:]))
        except OSError:
            return False
    return not ipaddress.ip_address(address[0].partition("%")[0]).is_unspecified


@pytest.fixture(autouse=True)
def _only_loopback(request, monkeypatch):
    """Refuse to connect or to send to anything that is not this machine, and to look up its name.

    Tests that are marked ``models`` may fetch the weights that they need.
    """
    if request.node.get_closest_marker("models"):
        return
    lookup = socket.getaddrinfo

    def guarded(name):
        real = getattr(socket.socket, name)

        def method(self, *args):
            if not _is_local(self.family, args[-1]):
                raise OutsideNetworkError(f"tests use no network but loopback, not {args[-1]}")
            return real(self, *args)

        return method

    def look_up(host, *args, **kwargs):
        name = host.decode() if isinstance(host, bytes) else host
        if name is not None and name != "" and not _is_local(socket.AF_INET, (name,)):
            raise OutsideNetworkError(f"tests use no network but loopback, not {name}")
        return lookup(host, *args, **kwargs)

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, guarded(name))
    monkeypatch.setattr(socket, "getaddrinfo", look_up)


@pytest.fixture
def free_port():
    """Return a TCP port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
