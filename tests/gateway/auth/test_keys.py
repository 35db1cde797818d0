import ast
import inspect
import stat

import pytest

from vivavoce.errors import VivaVoceError
from vivavoce.gateway.auth import keys as module
from vivavoce.gateway.auth import local
from vivavoce.gateway.auth.keys import Key, KeyFileError, Keys, digest, make, read, write
from vivavoce.gateway.opening import Caller


def test_a_key_stands_for_its_user():
    value, key = make("laptop", user="ada", group="staff", admin=True, now=1000.9)
    assert key.created_at == 1000
    assert Keys.of([key]).find(value, 2000) is key
    assert key.caller == Caller("ada", key="laptop", group="staff", admin=True)


def test_a_key_without_user_stands_for_itself():
    assert make("kiosk", now=0)[1].caller == Caller("kiosk", key="kiosk")


def test_a_key_has_256_bits_and_is_not_kept():
    value, key = make("a", now=0)
    assert value.startswith("vv_")
    assert len(value) - 3 == 43, "32 bytes in base64 without padding"
    assert value not in repr(key)
    assert key.digest == digest(value)
    assert len(bytes.fromhex(key.digest)) == 32


@pytest.mark.parametrize("value", ["", "vv_", "null", "vv_\ud800", "a" * 100_000])
def test_nothing_else_opens_anything(value):
    assert Keys.of([make("a", now=0)[1]]).find(value, 1) is None


def test_a_key_holds_for_its_days():
    value, key = make("a", now=1000, days=0.5)
    keys = Keys.of([key])
    assert keys.find(value, 1000 + 43_199) is key
    assert keys.find(value, 1000 + 43_200) is None


@pytest.mark.parametrize("name", ["", "a/b", "-a", "a" * 65, "a b", "a\n"])
def test_names_are_plain(name):
    with pytest.raises(VivaVoceError, match="Expected a name of at most 64"):
        make(name, now=0)
    if name:
        with pytest.raises(VivaVoceError, match="Expected a user"):
            make("a", user=name, now=0)
        with pytest.raises(VivaVoceError, match="Expected a group"):
            make("a", group=name, now=0)


class TestFile:
    def test_gives_back_what_was_written_and_is_for_its_owner_only(self, tmp_path):
        path = tmp_path / "new" / "keys.json"
        made = [make(name, now=1, days=1)[1] for name in "ab"]
        write(path, made)
        assert read(path) == made
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert [file.name for file in path.parent.iterdir()] == ["keys.json"]

    def test_one_that_is_not_there_has_none(self, tmp_path):
        assert read(tmp_path / "keys.json") == []

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("{", "expected a file with keys"),
            ('{"keys":[{"name":"a"}]}', r"missing required field `digest` - at `\$\.keys\[0\]`"),
            ('{"key":[]}', "unknown field `key`"),
            ('{"version":2}', "expected version 1, got 2"),
        ],
    )
    def test_one_that_is_wrong_says_where(self, tmp_path, text, says):
        path = tmp_path / "keys.json"
        path.write_text(text)
        with pytest.raises(KeyFileError, match=says):
            read(path)

    def test_one_that_cannot_be_read(self, tmp_path):
        with pytest.raises(KeyFileError, match=r"cannot be read: Is a directory"):
            read(tmp_path)


def test_secrets_are_compared_in_constant_time():
    """No secret is compared with ==: only digests are looked up, and what is found is compared by hmac."""
    for function in (Keys.find, local.is_right):
        tree = ast.parse(inspect.getsource(function).strip().removeprefix("    "))
        calls = {
            node.func.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        }
        assert "compare_digest" in calls
        for node in ast.walk(tree):
            if isinstance(node, ast.Compare):
                assert not any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops)


def test_a_digest_that_only_looks_right_is_compared_too(monkeypatch):
    value, _ = make("a", now=0)
    other = Key(name="b", digest="0" * 64, user="b", created_at=0)
    assert Keys({digest(value): other}).find(value, 1) is None
    assert module.API_KEY_PREFIX == "vv_"
