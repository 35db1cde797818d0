"""Databases of both kinds, each new for every test."""

import pytest

from .history.doubles import own_postgresql, postgres_programs


@pytest.fixture(scope="session")
def postgresql():
    """Return a running PostgreSQL server."""
    if postgres_programs() is None:
        pytest.skip("there is no PostgreSQL server on this machine (apt-get install postgresql)")
    with own_postgresql() as server:
        server.start()
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """Return the address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'data' / 'history.db'}"
    server = request.getfixturevalue("postgresql")
    server.execute("drop schema public cascade; create schema public")
    return server.url
