import json
import re
import time
from pathlib import Path

import pytest

from tests.gateway.doubles import ScriptedUpstream, gateway
from tests.gateway.history.doubles import ask, audio, ended, keeping, message, response, session, told
from vivavoce.gateway.auth import keys
from vivavoce.gateway.history.changes import Change
from vivavoce.testing import Script, ScriptedEngine, Turn

SCRIPT = Script(turns=[Turn(say="I am a voice.")])
PAGE = Path(__file__).parents[3] / "docs" / "reference" / "history.md"


@pytest.fixture
def users(tmp_path):
    """Return a file with keys, and what each user has to send."""
    made = {
        "ada": keys.make("laptop", user="ada", now=time.time()),
        "bob": keys.make("phone", user="bob", now=time.time()),
        "root": keys.make("office", user="root", admin=True, now=time.time()),
    }
    keys.write(tmp_path / "keys.json", [key for _, key in made.values()])
    headers = {user: {"Authorization": f"Bearer {value}"} for user, (value, _) in made.items()}
    return {"keys_file": tmp_path / "keys.json"}, headers


def row(session_id, started_at=100.0, user="anyone", state="ended", **values):
    values = {"user": user, "started_at": started_at, "state": state, **values}
    return Change("sessions", session_id, session_id, values)


class TestASession:
    async def test_can_be_read_when_it_is_over(self, tmp_path):
        async with keeping(tmp_path, ScriptedEngine(SCRIPT)) as running:
            assert await ask(running) == "I am a voice."
            (listed,) = await ended(running)
            found = await told(running, f"/{listed['id']}")
            items = (await told(running, f"/{listed['id']}/items"))["data"]
            export = await told(running, f"/{listed['id']}/export")
            async with running.get(f"/api/v1/sessions/{listed['id']}/export?format=webvtt") as answer:
                captions = await answer.text()
                assert answer.content_type == "text/vtt"
                assert "attachment" in answer.headers["Content-Disposition"]
        assert found.items() >= listed.items()
        assert (found["user"], found["dialect"], found["upstream"], found["state"]) == (
            "anyone",
            "ga",
            "engine",
            "ended",
        )
        assert (found["item_count"], found["response_count"]) == (2, 1)
        assert found["audio_out_ms"] > 0
        assert found["tokens"]["audio_output"] > 0
        assert found["mean_first_audio_ms"] is not None
        assert [item["content"] for item in items] == [
            [{"type": "input_text", "text": "Who are you?"}],
            [{"type": "output_audio", "transcript": "I am a voice."}],
        ]
        assert export["items"] == items
        assert export["session"] == found
        assert [one["status"] for one in export["responses"]] == ["completed"]
        assert "<v User>Who are you?" in captions
        assert "<v Assistant>I am a voice." in captions

    async def test_can_be_read_while_it_is_open_and_deleted_only_afterwards(self, tmp_path):
        async with keeping(tmp_path) as running:
            async with running.connect() as ws:
                await ws.receive()
                (listed,) = (await told(running))["data"]
                assert listed["state"] == "open"
                url = running.url(f"/api/v1/sessions/{listed['id']}")
                async with running.client.delete(url) as refused:
                    assert (refused.status, (await refused.json())["error"]["code"]) == (409, "session_open")
            await ended(running)
            async with running.client.delete(url) as done:
                assert await done.json() == {"object": "session.deleted", "id": listed["id"], "deleted": True}
            assert (await told(running))["data"] == []
            assert (await told(running, f"/{listed['id']}", 404))["error"]["code"] == "session_not_found"

    async def test_can_be_heard_if_it_was_recorded(self, tmp_path):
        async with keeping(tmp_path, ScriptedEngine(SCRIPT), history="audio") as running:
            await ask(running)
            (listed,) = await ended(running)
            await running.history.recorder.write()
            url = running.url(f"/api/v1/sessions/{listed['id']}")
            async with running.client.get(url + "/recording") as answer:
                assert answer.content_type == "audio/wav"
                assert (await answer.read())[:4] == b"RIFF"
            (file,) = (tmp_path / "recordings").iterdir()
            async with running.client.delete(url) as done:
                assert done.status == 200
            assert not file.exists()

    async def test_cannot_be_heard_otherwise(self, tmp_path):
        async with keeping(tmp_path) as running:
            await running.history.writer.ready.wait()
            await running.history.store.write([row("silent"), row("elsewhere", recording="elsewhere.wav")])
            for name in ("silent", "elsewhere"):
                refused = await told(running, f"/{name}/recording", 404)
                assert refused["error"]["code"] == "recording_not_found"


class TestOnesOwn:
    async def test_users_see_theirs_and_admins_all(self, tmp_path, users):
        settings, headers = users
        async with keeping(tmp_path, ScriptedEngine(SCRIPT), **settings) as running:
            for user in ("ada", "bob"):
                await ask(running, headers=headers[user])
            await ended(running, 2, headers=headers["root"])

            async def seen(user, query=""):
                page = await told(running, query, headers=headers[user])
                return [one["user"] for one in page["data"]]

            assert await seen("ada") == ["ada"]
            assert await seen("bob") == ["bob"]
            assert await seen("root") == ["bob", "ada"]
            assert await seen("root", "?user=ada") == ["ada"]
            assert await seen("ada", "?user=bob") == []

    @pytest.mark.parametrize("path", ["", "/items", "/export", "/recording"])
    async def test_those_of_others_are_as_those_that_never_were(self, tmp_path, users, path):
        settings, headers = users
        async with keeping(tmp_path, **settings) as running:
            await running.history.writer.ready.wait()
            await running.history.store.write([row("hers", user="ada", recording="hers.wav")])
            others = await told(running, f"/hers{path}", 404, headers=headers["bob"])
            nobodys = await told(running, f"/never{path}", 404, headers=headers["bob"])
            assert others == nobodys
            async with running.client.delete(
                running.url("/api/v1/sessions/hers"), headers=headers["bob"]
            ) as no:
                assert no.status == 404
            assert await running.history.reader.session("hers") is not None

    async def test_nobody_reads_without_a_key(self, tmp_path, users):
        settings, headers = users
        async with keeping(tmp_path, **settings) as running:
            for path in ("", "/x", "/x/items", "/x/export", "/x/recording"):
                await told(running, path, 401)
            url = running.url("/v1/realtime/client_secrets")
            async with running.client.post(url, json={}, headers=headers["ada"]) as made:
                key = (await made.json())["value"]
            refused = await told(running, "", 403, headers={"Authorization": f"Bearer {key}"})
            assert refused["error"]["code"] == "ephemeral_key_not_allowed"

    async def test_nobody_reads_where_everybody_is_one_user(self, tmp_path):
        settings = {"host": "0.0.0.0", "insecure_open": True}
        async with keeping(tmp_path, **settings) as running:
            assert (await told(running, "", 403))["error"]["code"] == "history_needs_keys"


class TestPages:
    async def test_lead_through_all(self, tmp_path):
        async with keeping(tmp_path) as running:
            await running.history.writer.ready.wait()
            await running.history.store.write([row(f"s{n}", started_at=float(n)) for n in range(5)])
            first = await told(running, "?limit=3")
            assert ([one["id"] for one in first["data"]], first["has_more"]) == (["s4", "s3", "s2"], True)
            second = await told(running, f"?limit=3&cursor={first['next_cursor']}")
            assert [one["id"] for one in second["data"]] == ["s1", "s0"]
            assert (second["has_more"], second["next_cursor"]) == (False, None)
            chosen = await told(running, "?since=1&until=3&state=ended")
            assert [one["id"] for one in chosen["data"]] == ["s2", "s1"]

    @pytest.mark.parametrize(
        ("query", "param"),
        [
            ("?limit=0", "limit"),
            ("?limit=101", "limit"),
            ("?limit=x", "limit"),
            ("?limit=0000000000000000000005", "limit"),
            ("?since=yesterday", "since"),
            ("?until=", "until"),
            ("?state=lost", "state"),
            ("?cursor=!", "cursor"),
            ("/s/items?cursor=!", "cursor"),
            ("/s/items?limit=-1", "limit"),
            ("/s/export?format=pdf", "format"),
        ],
    )
    async def test_what_is_wrong_is_named(self, tmp_path, query, param):
        async with keeping(tmp_path) as running:
            await running.history.writer.ready.wait()
            await running.history.store.write([row("s")])
            error = (await told(running, query, 400))["error"]
            assert (error["code"], error["param"]) == ("invalid_value", param)

    async def test_odd_characters_find_nothing_and_break_nothing(self, tmp_path, url):
        async with keeping(tmp_path, history_database=url) as running:
            await running.history.writer.ready.wait()
            await told(running, "/%00", 404)
            await told(running, "?model=%00&user=%F0%9F%91%8B&since=nan&until=inf")


async def test_without_a_history_there_is_none():
    async with gateway() as running, running.get("/api/v1/sessions") as answer:
        assert answer.status == 404


async def test_a_database_that_is_away_is_told_without_its_name(tmp_path, free_port):
    url = f"postgresql://ada:hidden@127.0.0.1:{free_port}/voice"
    async with keeping(tmp_path, history_database=url) as running:
        async with running.get("/api/v1/sessions") as answer:
            text = await answer.text()
            assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert "history_unavailable" in text
        assert str(free_port) not in text


class TestReference:
    """What docs/reference/history.md shows is what comes."""

    async def test_examples_have_the_fields_that_come(self, tmp_path):
        shown = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)]
        page, one_session, item, answer = shown
        async with keeping(tmp_path, _answering()) as running:
            async with running.connect("/v1/realtime?model=gpt-realtime-2") as ws:
                await ws.send_json({"type": "input_audio_buffer.append", "audio": audio(1000)})
                while (await ws.receive_json())["type"] != "response.done":
                    pass
            (listed,) = await ended(running)
            export = await told(running, f"/{listed['id']}/export")
            listing = await told(running)
        assert listing.keys() == page.keys()
        assert export["session"].keys() == one_session.keys()
        assert export["items"][-1].keys() == item.keys()
        assert export["responses"][0].keys() == answer.keys()
        assert export["items"][-1]["content"] == item["content"]
        assert export["responses"][0]["tokens"] == answer["tokens"] == one_session["tokens"]
        assert (
            export["responses"][0]["cost"]
            == pytest.approx(answer["cost"])
            == pytest.approx(one_session["cost"])
        )
        assert list(one_session)[-5:] == [name for name in one_session if name not in listing["data"][0]]


def _answering():
    """Return an endpoint that answers whatever comes with one whole turn."""
    usage = {
        "total_tokens": 300, "input_tokens": 200, "output_tokens": 100,
        "input_token_details": {"text_tokens": 50, "audio_tokens": 150, "cached_tokens": 20,
                                "cached_tokens_details": {"text_tokens": 20}},
        "output_token_details": {"text_tokens": 20, "audio_tokens": 80},
    }  # fmt: skip
    common = {"response_id": "resp_1", "output_index": 0, "event_id": "event_1"}
    part = {"item_id": "item_2", "content_index": 0, **common}
    spoken = [{"type": "output_audio", "transcript": "Good morning."}]
    events = [
        {"type": "session.created", "session": session(model="gpt-realtime-2")},
        {"type": "input_audio_buffer.committed", "item_id": "item_1"},
        {"type": "conversation.item.added", "item": message("item_1", "user", [{"type": "input_audio"}])},
        {"type": "response.created", "response": response("resp_1", "in_progress")},
        {"type": "response.output_item.added", "item": message("item_2"), **common},
        {"type": "conversation.item.added", "item": message("item_2"), "previous_item_id": "item_1"},
        {"type": "response.output_audio.delta", "delta": audio(1500), **part},
        {"type": "conversation.item.done", "item": message("item_2", content=spoken)},
        {"type": "response.done", "response": response("resp_1", usage=usage)},
    ]
    return ScriptedUpstream(reply=lambda _: [{"event_id": "event_1", **event} for event in events])
