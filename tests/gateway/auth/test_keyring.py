import logging

from vivavoce.gateway.auth.keyring import KeyRing
from vivavoce.gateway.auth.keys import make, write


def test_a_key_that_is_added_or_removed_counts_at_once(tmp_path):
    path = tmp_path / "keys.json"
    (one, first), (two, second) = (make(name, now=0) for name in "ab")
    write(path, [first])
    ring = KeyRing(path)
    ring.load()
    assert ring.find(one, 1) == first
    assert ring.find(two, 1) is None
    write(path, [second])
    assert ring.find(one, 1) is None
    assert ring.find(two, 1) == second
    path.unlink()
    assert ring.find(two, 1) is None


def test_a_file_that_breaks_lets_nobody_in_until_it_is_mended(tmp_path, caplog):
    path = tmp_path / "keys.json"
    value, key = make("a", now=0)
    write(path, [key])
    ring = KeyRing(path)
    assert ring.find(value, 1) == key
    path.write_text("{")
    with caplog.at_level(logging.ERROR):
        assert ring.find(value, 1) is None
        assert ring.find(value, 1) is None
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    write(path, [key])
    assert ring.find(value, 1) == key
