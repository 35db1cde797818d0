import os
import socket

import pytest

from vivavoce.gateway.auth import neighbour
from vivavoce.gateway.auth.neighbour import TABLES, is_own, owner

HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
ROW = "   0: {} {} 01 00000000:00000000 00:00000000 00000000 {:>5}        0 4711 1\n"


class TestTables:
    """The kernel writes each four bytes of an address in the machine's order; these are of a little-endian one."""

    pytestmark = pytest.mark.skipif(os.sys.byteorder != "little", reason="tables of a little-endian machine")

    @pytest.mark.parametrize(
        ("peer", "here", "row"),
        [
            (("127.0.0.1", 8080), ("127.0.0.1", 80), ("0100007F:1F90", "0100007F:0050")),
            (("::1", 8080), ("::1", 80), ("0" * 24 + "01000000:1F90", "0" * 24 + "01000000:0050")),
            (
                ("127.0.0.1", 8080),
                ("127.0.0.1", 80),
                ("0000000000000000FFFF00000100007F:1F90", "0000000000000000FFFF00000100007F:0050"),
            ),
        ],
    )
    def test_a_socket_is_found_by_both_its_ends(self, peer, here, row):
        table = HEADER + ROW.format(row[1], row[0], 5) + ROW.format(*row, 1000)
        assert owner(peer, here, [HEADER, table]) == 1000

    def test_one_that_is_not_there_has_no_user(self):
        assert owner(("127.0.0.1", 1), ("127.0.0.1", 2), [HEADER, "", "\n\nx y"]) is None


@pytest.fixture
def connection():
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        yield client.getsockname(), server.getsockname()


@pytest.mark.skipif(not TABLES[0].exists(), reason="this system does not tell")
def test_a_program_of_ours_is_known(connection, monkeypatch):
    assert is_own(*connection)
    monkeypatch.setattr(os, "getuid", lambda: -1)
    assert not is_own(*connection), "nobody has this user"


def test_where_the_system_does_not_tell_every_program_counts(connection, monkeypatch, tmp_path):
    monkeypatch.setattr(neighbour, "TABLES", (tmp_path / "tcp",))
    assert is_own(*connection)


def test_another_machine_is_not_ours():
    assert not is_own(("192.0.2.1", 1), ("127.0.0.1", 2))
