"""The guard of `conftest` itself: it would be no guard if nothing showed that it bites."""

import asyncio
import socket

import pytest


class TestOnlyLoopback:
    # 192.0.2.0/24 and 2001:db8::/32 are for documentation: nobody is there (RFC 5737, RFC 3849).
    @pytest.mark.parametrize(
        ("family", "address"),
        [(socket.AF_INET, ("192.0.2.1", 9)), (socket.AF_INET6, ("2001:db8::1", 9))],
    )
    def test_refuses_another_machine(self, family, address):
        with socket.socket(family) as outside, pytest.raises(AssertionError, match="loopback"):
            outside.connect(address)

    def test_refuses_a_datagram(self):
        outside = socket.socket(type=socket.SOCK_DGRAM)
        with outside, pytest.raises(AssertionError, match="loopback"):
            outside.sendto(b"hello", ("192.0.2.1", 9))

    def test_refuses_to_look_up_a_name(self):
        with pytest.raises(AssertionError, match=r"voice\.example"):
            socket.getaddrinfo("voice.example", 443)

    async def test_refuses_asyncio(self):
        with pytest.raises(AssertionError, match="loopback"):
            await asyncio.open_connection("192.0.2.1", 9)

    def test_lets_loopback_through(self, free_port):
        with (
            socket.create_server(("127.0.0.1", free_port)) as server,
            socket.create_connection(("localhost", free_port)) as client,
        ):
            assert client.getpeername() == server.getsockname()

    def test_lets_unix_sockets_through(self, tmp_path):
        path = str(tmp_path / "socket")
        with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
            server.bind(path)
            server.listen()
            client.connect(path)
