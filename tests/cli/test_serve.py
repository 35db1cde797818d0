import asyncio
import re
import signal
import socket
import sys

import aiohttp
import pytest
import typer
from typer.testing import CliRunner

from tests.gateway.doubles import ScriptedProgress, ScriptedUpstream
from vivavoce.cli import serve as module
from vivavoce.cli.serve import ADDRESS_EXIT, LOADING_EXIT, SETTINGS_EXIT, run, serve
from vivavoce.engine.choices import Http, Wyoming
from vivavoce.engine.profiles import Profile
from vivavoce.errors import WeightsUnavailable
from vivavoce.gateway import GatewaySettings

SERVER = """
import asyncio
from tests.gateway.doubles import ScriptedUpstream
from vivavoce.cli.serve import run
from vivavoce.gateway import GatewaySettings
{extra}
raise SystemExit(asyncio.run(run(GatewaySettings(port=0, {settings}), ScriptedUpstream({upstream}))))
"""


@pytest.fixture
def command():
    app = typer.Typer()
    app.command()(serve)
    return lambda *arguments, **env: CliRunner().invoke(app, arguments, env=env)


@pytest.fixture
def asked_for(monkeypatch):
    """Take note of the settings that would be served, and serve nothing."""
    seen = []

    async def note(settings, upstream):
        seen.append((settings, upstream.endpoint.profile))
        return 0

    monkeypatch.setattr(module, "run", note)
    return seen


class TestOptions:
    def test_an_option_beats_the_environment_which_beats_the_default(self, command, asked_for):
        result = command("--port", "8100", VIVAVOCE_PORT="8200", VIVAVOCE_MAX_SESSIONS="3")
        assert result.exit_code == 0, result.output
        settings, profile = asked_for[0]
        assert (settings.port, settings.max_sessions, settings.host) == (8100, 3, "127.0.0.1")
        assert profile == "default"

    def test_the_profile_reaches_the_engine(self, command, asked_for):
        assert command("--engine-profile", "small").exit_code == 0
        assert asked_for[0][1] == "small"

    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            (["--port", "70000"], r"--port \(VIVAVOCE_PORT\).*65535.*70000"),
            (["--engine-profile", "huge"], r"--engine-profile.*'default', 'compact' or 'small'.*'huge'"),
            (["--log-level", "loud"], r"--log-level.*'loud'"),
            (["--host", "0.0.0.0"], r"0\.0\.0\.0.*--insecure-open"),
        ],
    )
    def test_a_wrong_one_is_named_with_what_was_expected(self, command, asked_for, arguments, expected):
        result = command(*arguments)
        assert result.exit_code == SETTINGS_EXIT
        assert re.search(expected, result.output), result.output
        assert asked_for == []

    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            (
                ["--language-model", "gpt-4"],
                r"--language-model \(VIVAVOCE_LANGUAGE_MODEL\): expected qwen.* 'gpt-4'",
            ),
            (["--recogniser", "http://h/v1"], r"--recogniser .*expected the model's name behind a #"),
            (["--synthesiser", "voice"], r"--synthesiser .*expected hibari"),
        ],
    )
    def test_a_wrong_model_is_named_with_what_was_expected(self, command, asked_for, arguments, expected):
        result = command(*arguments)
        assert result.exit_code == SETTINGS_EXIT
        assert re.search(expected, " ".join(result.output.split())), result.output
        assert asked_for == []

    def test_a_key_that_stands_in_an_address_is_not_shown(self, command, asked_for):
        result = command(VIVAVOCE_LANGUAGE_MODEL="https://me:hunter2@host/v1#m")
        assert result.exit_code == SETTINGS_EXIT
        assert "a key has a setting of its own" in result.output
        assert "hunter2" not in result.output

    def test_models_of_its_own_choice_take_the_place_of_the_profiles(self, command, asked_for, monkeypatch):
        chosen = []
        with_parts = Profile.with_parts

        def note(profile, parts):
            chosen.append(parts)
            return with_parts(profile, parts)

        monkeypatch.setattr(Profile, "with_parts", note)
        result = command(
            "--recogniser",
            "wyoming://localhost:10300",
            VIVAVOCE_LANGUAGE_MODEL="https://api.example.com/v1#gpt",
            VIVAVOCE_LANGUAGE_MODEL_KEY="sk-secret",
            VIVAVOCE_SYNTHESISER="",
        )
        assert result.exit_code == 0, result.output
        assert chosen == [
            {
                "language_model": Http("https://api.example.com/v1", "gpt", key="sk-secret"),
                "recogniser": Wyoming("localhost", 10300),
            }
        ]
        assert "sk-secret" not in repr(asked_for[0][0])

    def test_a_wrong_variable_is_named_as_well(self, command, asked_for):
        result = command(VIVAVOCE_MAX_SESSIONS="many")
        assert result.exit_code == SETTINGS_EXIT
        assert "VIVAVOCE_MAX_SESSIONS" in result.output

    def test_strangers_are_let_in_on_demand_only(self, command, asked_for):
        assert command("--host", "0.0.0.0", "--insecure-open").exit_code == 0
        assert asked_for[0][0].open_to_others

    @pytest.fixture(autouse=True)
    def _leave_logging_alone(self, monkeypatch):
        monkeypatch.setattr(module, "configure", lambda _: None)


class TestScripted:
    @pytest.fixture
    def served(self, monkeypatch):
        seen = []

        async def note(settings, upstream):
            seen.append((settings, upstream.endpoint))
            return 0

        monkeypatch.setattr(module, "run", note)
        monkeypatch.setattr(module, "configure", lambda _: None)
        return seen

    @pytest.fixture
    def script(self, tmp_path):
        path = tmp_path / "turns.yaml"
        path.write_text("turns: [{say: Hi.}]")
        return path

    def test_an_engine_with_a_script_is_served(self, command, served, script):
        result = command("--engine", "scripted", "--script", str(script), "--latency-ms", "10")
        assert result.exit_code == 0, result.output
        settings, upstream = served[0]
        assert (settings.engine, settings.latency_ms) == ("scripted", 10)
        assert upstream.script.turns[0].say == "Hi."

    def test_by_the_environment_as_well(self, command, served, script):
        assert command(VIVAVOCE_ENGINE="scripted", VIVAVOCE_SCRIPT=str(script)).exit_code == 0
        assert served[0][1].script.turns[0].say == "Hi."

    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            ("--engine mute", r"--engine \(VIVAVOCE_ENGINE\).*'builtin' or 'scripted'.*'mute'"),
            ("--engine scripted", r"--script \(VIVAVOCE_SCRIPT\): expected the file.*got none"),
            ("--script turns.yaml", r"--script \(VIVAVOCE_SCRIPT\): expected only with --engine"),
            ("--latency-ms 10", r"--latency-ms \(VIVAVOCE_LATENCY_MS\): expected only with"),
            ("--engine scripted --script nowhere.yaml", r"nowhere\.yaml: .* No such file"),
        ],
    )
    def test_what_is_wrong_is_named(self, command, served, arguments, expected):
        result = command(*arguments.split())
        assert result.exit_code == SETTINGS_EXIT
        assert re.search(expected, result.output), result.output
        assert served == []

    def test_so_is_what_is_wrong_in_the_script(self, command, served, script):
        script.write_text("turns:\n  - sya: Hi.\n")
        result = command("--engine", "scripted", "--script", str(script))
        assert result.exit_code == SETTINGS_EXIT
        assert "turns.yaml, line 2 (turn 1): Object contains unknown field `sya`" in result.output
        assert served == []


class TestRun:
    async def test_a_port_that_is_taken_is_named_before_anything_is_loaded(self, capsys):
        upstream = ScriptedUpstream()
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            assert await run(GatewaySettings(port=port), upstream) == ADDRESS_EXIT
        said = capsys.readouterr().err
        assert said == (
            f"Port {port} of 127.0.0.1 is taken by another program. "
            "Choose another with --port, or stop that one.\n"
        )
        assert upstream.status.state == "stopped"

    async def test_an_address_of_another_machine_is_named(self, capsys):
        assert await run(GatewaySettings(host="192.0.2.1", port=0), ScriptedUpstream()) == ADDRESS_EXIT
        assert "Cannot listen on 192.0.2.1" in capsys.readouterr().err

    async def test_models_that_cannot_be_loaded_end_it(self, capsys):
        upstream = ScriptedUpstream(failure=WeightsUnavailable("no source has [recogniser]"))
        assert await run(GatewaySettings(port=0), upstream) == LOADING_EXIT
        captured = capsys.readouterr()
        assert captured.out.startswith("Viva Voce listens. Open http://127.0.0.1:")
        assert "no source has [recogniser]" in captured.err
        assert upstream.closed

    async def test_says_where_to_go_and_then_what_it_fetches(self, capsys):
        class Fetching(ScriptedUpstream):
            async def start(self, progress):
                for done in (0, 21_000_000, 42_000_000):
                    progress(ScriptedProgress("recogniser", done, 42_000_000))
                raise WeightsUnavailable("none")

        await run(GatewaySettings(port=0), Fetching())
        where, fetching = capsys.readouterr().out.splitlines()
        assert where.startswith("Viva Voce listens. Open http://127.0.0.1:")
        assert fetching == "Fetching recogniser, 42 MB."

    async def test_warns_that_everybody_may_come_in(self, capsys):
        upstream = ScriptedUpstream(failure=WeightsUnavailable("none"))
        await run(GatewaySettings(host="0.0.0.0", port=0, insecure_open=True), upstream)
        assert "nobody is asked for a key" in capsys.readouterr().err


class TestDoor:
    """Who may come in is said at the start, or why that cannot be."""

    async def _told(self, capsys, **settings):
        upstream = ScriptedUpstream(failure=WeightsUnavailable("none"))
        code = await run(GatewaySettings(port=0, **settings), upstream)
        return code, capsys.readouterr()

    @pytest.mark.parametrize(
        ("settings", "address"),
        [
            ({}, r"http://127\.0\.0\.1:\d+/\?token=[\w-]{32} in"),
            ({"token": "mine&alone"}, r"http://127\.0\.0\.1:\d+/\?token=mine%26alone in"),
            ({"local_access": "open"}, r"http://127\.0\.0\.1:\d+ in"),
            ({"keys_file": "keys.json"}, r"http://127\.0\.0\.1:\d+ in"),
        ],
    )
    async def test_the_token_is_in_the_address(self, capsys, settings, address):
        _, told = await self._told(capsys, **settings)
        assert re.search(f"Open {address} a browser", told.out.splitlines()[0]), told.out

    async def test_with_keys_it_does_not_say_that_everybody_may_come(self, capsys):
        _, told = await self._told(capsys, host="0.0.0.0", keys_file="keys.json")
        assert "nobody is asked" not in told.err

    @pytest.mark.parametrize(
        ("settings", "says"),
        [
            ({"token": "changeme"}, "VIVAVOCE_TOKEN: expected a secret of your own"),
            ({"jwt_secret": "0123456789"}, "VIVAVOCE_JWT_SECRET: expected at least 32 bytes"),
            ({"policy": "none.yaml"}, "none.yaml cannot be read: No such file"),
            ({"policy": "none.yaml", "redis_url": "http://a"}, "none.yaml cannot be read"),
        ],
    )
    async def test_what_is_wrong_ends_it(self, capsys, settings, says):
        code, told = await self._told(capsys, **settings)
        assert (code, says in told.err) == (SETTINGS_EXIT, True), told.err
        assert told.out == ""

    def test_with_keys_others_may_reach_it(self, command, asked_for, tmp_path):
        result = command("--host", "0.0.0.0", "--keys-file", str(tmp_path / "keys.json"))
        assert result.exit_code == 0, result.output


class TestHistory:
    """What is kept is said at the start."""

    @staticmethod
    async def _told(capsys, **settings):
        upstream = ScriptedUpstream(failure=WeightsUnavailable("none"))
        code = await run(GatewaySettings(port=0, **settings), upstream)
        return code, capsys.readouterr()

    @pytest.mark.parametrize(
        ("settings", "expected"),
        [
            ({"history": "text"}, "kept in writing for 30 days in"),
            ({"history": "audio", "history_days": 0}, "recorded, and kept until somebody deletes them in"),
        ],
    )
    async def test_what_and_where(self, capsys, tmp_path, settings, expected):
        code, told = await self._told(capsys, history_folder=tmp_path, **settings)
        assert code == LOADING_EXIT
        assert f"Sessions are {expected} {tmp_path / 'history.db'}" in told.out

    async def test_nothing_is_said_of_nothing(self, capsys):
        assert "Sessions" not in (await self._told(capsys, history="off"))[1].out

    async def test_a_wrong_database_is_named(self, capsys):
        code, told = await self._told(capsys, history="text", history_database="mysql://ada:hidden@db/voice")
        assert code == SETTINGS_EXIT
        assert "postgresql://USER:PASSWORD@HOST/NAME" in told.err
        assert "hidden" not in told.err

    async def test_what_is_missing_for_it_is_named_where_it_was_asked_for(self, capsys, monkeypatch):
        monkeypatch.setitem(sys.modules, "vivavoce.gateway.history.history", None)
        code, told = await self._told(capsys, history="text")
        assert code == SETTINGS_EXIT
        assert "pip install 'vivavoce[history]'" in told.err
        monkeypatch.delenv("VIVAVOCE_HISTORY")
        code, told = await self._told(capsys)
        assert (code, "Sessions" in told.out) == (LOADING_EXIT, False)


async def _serve_elsewhere(extra="", upstream="", held="", settings=""):
    """Run the server in a process of its own; return the process and its address once it is ready."""
    server = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        SERVER.format(extra=extra, upstream=upstream, settings=settings),
        stdout=-1,
        stderr=-1,
    )
    address = re.search(rb"http://127\.0\.0\.1:\d+", await server.stdout.readline())[0].decode()
    assert await server.stdout.readline() == f"Ready after 0.2 s: scripted.{held}\n".encode()
    return server, address


async def test_says_how_many_sessions_there_may_be_where_that_is_known():
    server, _ = await _serve_elsewhere(upstream="capacity=3", held=" It holds 3 sessions in real time.")
    server.send_signal(signal.SIGTERM)
    await server.communicate()


class TestSignals:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    async def test_a_signal_says_goodbye_to_clients_and_ends_it(self, number):
        server, address = await _serve_elsewhere()
        async with (
            aiohttp.ClientSession() as client,
            client.ws_connect(f"{address}/v1/realtime?model=m") as ws,
        ):
            await ws.receive()
            server.send_signal(number)
            message = await ws.receive()
            assert (message.data, message.extra) == (1001, "The server stops.")
            async with asyncio.timeout(5):
                out, err = await server.communicate()
        assert (server.returncode, out, err) == (0, b"Stopping.\n", b"")

    async def test_where_there_is_time_sessions_end_by_themselves(self):
        server, address = await _serve_elsewhere(settings="drain_seconds=1000")
        async with (
            aiohttp.ClientSession() as client,
            client.ws_connect(f"{address}/v1/realtime?model=m") as ws,
        ):
            await ws.receive()
            server.send_signal(signal.SIGTERM)
            assert await server.stdout.readline() == (
                b"No new sessions. Those that are open, 1, have 1000 seconds.\n"
            )
            assert (await ws.receive_json())["error"]["code"] == "going_away"
            async with client.get(f"{address}/ready") as response:
                assert response.status == 503
            await ws.close()
            assert await server.communicate() == (b"Stopping.\n", b"")
        assert server.returncode == 0

    async def test_a_second_signal_ends_them(self):
        server, address = await _serve_elsewhere(settings="drain_seconds=1000")
        async with (
            aiohttp.ClientSession() as client,
            client.ws_connect(f"{address}/v1/realtime?model=m") as ws,
        ):
            await ws.receive()
            server.send_signal(signal.SIGTERM)
            await server.stdout.readline()
            server.send_signal(signal.SIGTERM)
            while (message := await ws.receive()).type is aiohttp.WSMsgType.TEXT:
                pass
            assert (message.data, message.extra) == (1001, "The server stops.")
            await server.communicate()

    async def test_a_thread_that_never_ends_does_not_keep_it(self):
        server, _ = await _serve_elsewhere(
            "import threading, vivavoce.cli.signals as module; module.SHUTDOWN_SECONDS = 0.2\n"
            "threading.Thread(target=threading.Event().wait).start()"
        )
        server.send_signal(signal.SIGTERM)
        async with asyncio.timeout(5):
            await server.communicate()
        assert server.returncode == 0
