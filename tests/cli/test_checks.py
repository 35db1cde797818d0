import asyncio
import os
import socket
from datetime import timedelta

import pytest

from tests.gateway.doubles import gateway
from tests.gateway.operations.certificates import write_certificate
from vivavoce.cli import checks
from vivavoce.cli.checks import CHECKS, Finding, examine
from vivavoce.errors import AudioDeviceError
from vivavoce.gateway import GatewaySettings


async def look(check, **settings):
    return await examine(check, GatewaySettings(**{"history": "off", **settings}))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_each_has_its_own_name_and_a_sentence(check, monkeypatch):
    monkeypatch.setattr(checks, "SECONDS", 30)
    found = await look(check, port=0, engine="scripted", script="turns.yaml")
    assert found.name == check.__name__
    assert found.text


class TestExamine:
    async def test_what_takes_too_long_is_bad(self, monkeypatch):
        async def for_ever(_):
            await asyncio.Event().wait()

        monkeypatch.setattr(checks, "SECONDS", 0.01)
        assert await look(for_ever) == Finding("for ever", "bad", "No answer within 0.01 seconds.")


class TestConfiguration:
    async def test_everybody_is_worth_a_note(self):
        found = await look(checks.configuration, host="0.0.0.0", insecure_open=True)
        assert found.verdict == "note"

    async def test_a_secret_that_everybody_knows_is_bad(self):
        found = await look(checks.configuration, token="changeme")
        assert (found.verdict, "VIVAVOCE_TOKEN" in found.text) == ("bad", True)

    async def test_packages_that_are_missing_can_be_installed(self, monkeypatch):
        monkeypatch.setattr(checks, "EXTRAS", {"engine": "none_of.that", "redis": "redis"})
        found = await look(checks.packages)
        assert (found.verdict, found.advice) == ("note", "pip install 'vivavoce[engine]'")


class TestFiles:
    async def test_a_policy_that_cannot_be_read(self, tmp_path):
        assert (await look(checks.policy, policy=tmp_path / "none.yaml")).verdict == "bad"
        good = tmp_path / "policy.yaml"
        good.write_text("groups: {}\n")
        assert (await look(checks.policy, policy=good)).verdict == "good"

    async def test_a_certificate_by_its_end(self, tmp_path, monkeypatch):
        cert, key = write_certificate(tmp_path)  # it lasts a day
        assert (await look(checks.certificate, tls_cert=cert, tls_key=key)).verdict == "note"
        monkeypatch.setattr(checks, "SOON", timedelta(hours=1))
        assert (await look(checks.certificate, tls_cert=cert, tls_key=key)).verdict == "good"
        assert (await look(checks.certificate, tls_cert=key)).verdict == "bad"

    async def test_a_database_that_is_there(self, tmp_path):
        file = tmp_path / "history.db"
        file.touch()
        assert (await look(checks.database, history="text", history_folder=tmp_path)).text.endswith(
            "be read."
        )

    async def test_one_that_is_none(self, tmp_path):
        (tmp_path / "history.db").write_text("not a database, but long enough to be looked at as one" * 10)
        found = await look(checks.database, history="text", history_folder=tmp_path)
        assert (found.verdict, "history.db" in found.text) == ("bad", True)

    async def test_one_that_is_to_be_made_is_not_made_yet(self, tmp_path, monkeypatch):
        folder = tmp_path / "new"
        found = await look(checks.database, history="text", history_folder=folder)
        assert (found.verdict, folder.exists()) == ("good", False)
        monkeypatch.setattr(os, "access", lambda *_: False)
        assert (await look(checks.database, history="text", history_folder=folder)).verdict == "bad"


class TestNetwork:
    async def test_a_port_that_is_taken(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            found = await look(checks.address, port=other.getsockname()[1])
        assert found.verdict == "bad"
        assert "--port" in found.advice

    async def test_an_upstream_that_opens_sessions(self):
        async with gateway() as running:
            there = running.url("/v1/realtime").replace("http", "ws")
            found = await look(checks.upstream, upstream=there)
            assert (found.verdict, found.text.endswith("opens sessions.")) == ("good", True), found.text
            await running.upstream.sessions[0].closed

    async def test_one_that_is_not_there(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            there = f"ws://127.0.0.1:{other.getsockname()[1]}/v1/realtime"
        assert "does not answer" in (await look(checks.upstream, upstream=there)).text

    async def test_one_that_refuses(self):
        async with gateway(token="t0ken-of-mine-and-nobody-elses", local_access="token") as running:
            there = running.url("/v1/realtime").replace("http", "ws")
            assert (await look(checks.upstream, upstream=there, upstream_key="wrong")).verdict == "bad"

    async def test_a_redis_that_is_not_there_is_told_without_its_password(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
        found = await look(checks.redis, redis_url=f"redis://:hunter2@127.0.0.1:{port}")
        assert found.verdict == "bad"
        assert "hunter2" not in str(found)


class TestModels:
    async def test_those_that_are_missing_are_named(self, monkeypatch):
        monkeypatch.setattr("vivavoce.engine.weights.present", lambda _: False)
        found = await look(checks.models, engine_profile="small")
        assert (found.verdict, "will be fetched" in found.text) == ("note", True)
        assert found.advice.startswith("vivavoce models fetch ")

    async def test_those_that_are_here(self, monkeypatch):
        monkeypatch.setattr("vivavoce.engine.weights.present", lambda _: True)
        assert (await look(checks.models)).verdict == "good"

    async def test_none_are_needed_where_another_answers(self):
        assert (
            await look(checks.models, upstream="wss://host.example/v1/realtime")
        ).text == "None are needed."


class TestSound:
    async def test_without_any_it_is_a_note(self, monkeypatch):
        def missing():
            raise AudioDeviceError("no PortAudio")

        monkeypatch.setattr(checks, "load_sounddevice", missing)
        assert (await look(checks.sound)).verdict == "note"

    async def test_devices_by_their_names(self, monkeypatch):
        class Sounds:
            PortAudioError = OSError

            @staticmethod
            def query_devices(kind):
                return {"name": kind.title()}

        monkeypatch.setattr(checks, "load_sounddevice", lambda: Sounds)
        assert (await look(checks.sound)).text == "Input hears, Output speaks."
