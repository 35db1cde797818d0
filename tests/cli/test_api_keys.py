import json

from typer.testing import CliRunner

from vivavoce.cli.api_keys import FAILED_EXIT, NAME_EXIT, app
from vivavoce.gateway.auth.keys import Keys, read


def command(path, *arguments):
    return CliRunner().invoke(app, arguments, env={"VIVAVOCE_KEYS_FILE": str(path)})


def test_a_key_is_printed_once_and_kept_as_a_hash(tmp_path):
    path = tmp_path / "keys.json"
    result = command(path, "add", "laptop", "--user", "ada", "--group", "staff", "--admin", "--days", "7")
    assert result.exit_code == 0, result.output
    value = result.stdout.strip()
    assert value not in path.read_text()
    key = Keys.of(read(path)).find(value, 0)
    assert (key.name, key.user, key.group, key.admin) == ("laptop", "ada", "staff", True)
    assert key.expires_at - key.created_at == 7 * 86_400
    assert f"vivavoce serve --keys-file {path}" in result.stderr
    assert value not in command(path, "list").output


def test_keys_are_listed_and_removed(tmp_path):
    path = tmp_path / "keys.json"
    for name in ("one", "two"):
        command(path, "add", name)
    rows = [line.split() for line in command(path, "list").output.splitlines()]
    assert [row[0] for row in rows] == ["name", "one", "two"]
    assert command(path, "remove", "one").exit_code == 0
    assert [key.name for key in read(path)] == ["two"]


def test_names_that_are_taken_unknown_or_impossible(tmp_path):
    path = tmp_path / "keys.json"
    command(path, "add", "one")
    for arguments, says in (
        (("add", "one"), "There is a key 'one' already"),
        (("add", "a/b"), "Expected a name of at most 64"),
        (("remove", "two"), "There is no key 'two'"),
    ):
        result = command(path, *arguments)
        assert result.exit_code == NAME_EXIT
        assert says in result.output
    assert len(json.loads(path.read_text())["keys"]) == 1


def test_a_file_that_cannot_be_used(tmp_path):
    path = tmp_path / "keys.json"
    path.write_text("{")
    result = command(path, "add", "one")
    assert (result.exit_code, path.read_text()) == (FAILED_EXIT, "{")
    assert "expected a file with keys" in result.output
    result = command(tmp_path / "keys.json" / "below", "add", "one")
    assert result.exit_code == FAILED_EXIT
