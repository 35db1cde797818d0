"""Databases of both kinds, each new for every test."""

import socket
import tempfile
from pathlib import Path

import pytest

from .history.doubles import PostgreSQL, postgres_programs


@pytest.fixture(scope="session")
def postgresql():
    """Return a running PostgreSQL server."""
    if postgres_programs() is None:
        pytest.skip("there is no PostgreSQL server on this machine (apt-get install postgresql)")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # Not in pytest's folder, which another user, as whom the server may have to run, cannot enter.
    with tempfile.TemporaryDirectory(prefix="vivavoce-postgresql-") as folder:
        server = PostgreSQL(Path(folder), port)
        server.start()
        yield server
        server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """Return the address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'data' / 'history.db'}"
    server = request.getfixturevalue("postgresql")
    server.execute("drop schema public cascade; create schema public")
    return server.url
