import asyncio
from html.parser import HTMLParser

import pytest

from tests.gateway.doubles import gateway
from vivavoce.gateway.routes.page import CONTENT_TYPES
from vivavoce.web import FOLDER, asset_paths


@pytest.fixture
def web_folder(tmp_path):
    folder = tmp_path / "web"
    (folder / "vendor").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Grüße</title>")
    (folder / "page.js").write_text("export const answer = 42;")
    (folder / "vendor" / "lit.js").write_text("export {};")
    (folder / "__init__.py").write_text("SECRET = 1")
    (folder / "no-suffix").write_text("secret")
    (tmp_path / "secret.js").write_text("hidden words")
    (folder / "link.js").symlink_to(tmp_path / "secret.js")
    return folder


async def _raw_get(running, target):
    """Ask for a path that no client library would leave as it is; return the status."""
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    writer.write(b"GET %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % target)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert b"hidden words" not in answer
    return int(answer.split()[1])


class TestPage:
    async def test_is_sent_as_html(self, web_folder):
        async with gateway(web_folder=web_folder) as running, running.get("/") as response:
            assert response.status == 200
            assert response.headers["Content-Type"] == "text/html; charset=utf-8"
            assert "Grüße" in await response.text()

    async def test_keeps_everything_foreign_out(self, web_folder):
        async with gateway(web_folder=web_folder) as running, running.get("/") as response:
            policy = dict(
                part.split(" ", 1) for part in response.headers["Content-Security-Policy"].split("; ")
            )
            assert policy["default-src"] == "'self'"
            weather = "https://api.open-meteo.com https://geocoding-api.open-meteo.com"
            direct = "https://api.openai.com wss://api.openai.com"
            assert policy["connect-src"] == f"'self' {direct} {weather}"
            assert policy["img-src"] == "'self' data: https://tile.openstreetmap.org"
            assert policy["media-src"] == policy["worker-src"] == "'self' blob:"
            assert "unsafe" not in str(policy)
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.headers["Permissions-Policy"] == "microphone=(self)"

    async def test_may_connect_only_where_the_settings_say(self, web_folder):
        settings = {"direct_origins": "wss://voice.example:8443, ws://[::1]:9"}
        async with gateway(web_folder=web_folder, **settings) as running, running.get("/") as response:
            policy = response.headers["Content-Security-Policy"]
            assert "connect-src 'self' wss://voice.example:8443 ws://[::1]:9 https:" in policy
            assert "openai" not in policy

    async def test_is_asked_about_each_time_and_sent_once(self, web_folder):
        async with gateway(web_folder=web_folder) as running:
            async with running.get("/") as response:
                assert response.headers["Cache-Control"] == "no-cache"
                etag = response.headers["ETag"]
            async with running.get("/", headers={"If-None-Match": etag}) as response:
                assert response.status == 304
            (web_folder / "index.html").write_text("<title>something longer than before, surely</title>")
            async with running.get("/", headers={"If-None-Match": etag}) as response:
                assert response.status == 200


class TestWebFiles:
    @pytest.mark.parametrize(
        ("path", "content_type"),
        [
            ("/web/page.js", "text/javascript; charset=utf-8"),
            ("/web/vendor/lit.js", "text/javascript; charset=utf-8"),
        ],
    )
    async def test_modules_have_the_type_that_browsers_insist_on(self, web_folder, path, content_type):
        async with gateway(web_folder=web_folder) as running, running.get(path) as response:
            assert response.status == 200
            assert response.headers["Content-Type"] == content_type
            assert response.headers["X-Content-Type-Options"] == "nosniff"

    async def test_words_are_squeezed_for_those_who_take_it(self, web_folder):
        words = "export const answer = 42;" * 100
        (web_folder / "page.js").write_text(words)
        async with gateway(web_folder=web_folder) as running:
            async with running.get("/web/page.js", headers={"Accept-Encoding": "br, gzip"}) as response:
                assert response.headers["Content-Encoding"] == "gzip"
                assert "Accept-Encoding" in response.headers["Vary"]
                assert await response.text() == words
                etag = response.headers["ETag"]
            known = {"Accept-Encoding": "gzip", "If-None-Match": etag}
            for _ in range(2):
                async with running.get("/web/page.js", headers=known) as response:
                    assert response.status == 304
                    assert await response.read() == b""
            for headers, sent in (({}, words), ({"Accept-Encoding": "gzip", "Range": "bytes=0-5"}, "export")):
                plain = {"Accept-Encoding": "identity", **headers}
                async with running.get("/web/page.js", headers=plain) as response:
                    assert "Content-Encoding" not in response.headers
                    assert "Accept-Encoding" in response.headers["Vary"]
                    assert await response.text() == sent

    @pytest.mark.parametrize(
        "name", ["__init__.py", "no-suffix", "vendor", "nothing.js", "link.js", "PAGE.JS"]
    )
    async def test_all_else_is_not_there(self, web_folder, name):
        async with gateway(web_folder=web_folder) as running, running.get(f"/web/{name}") as response:
            assert response.status == 404

    @pytest.mark.parametrize(
        "target",
        [
            b"/web/../secret.js",
            b"/web/%2e%2e/secret.js",
            b"/web/..%2fsecret.js",
            b"/web/vendor/..%2f..%2fsecret.js",
            b"/web//etc/passwd",
            b"/web/%2fetc%2fpasswd",
            b"/web/page.js%00.html",
            b"/web/..\\secret.js",
        ],
    )
    async def test_nothing_outside_of_the_folder_is_sent(self, web_folder, target):
        async with gateway(web_folder=web_folder) as running:
            assert await _raw_get(running, target) == 404


class TestOurs:
    async def test_every_file_of_the_page_is_served(self):
        async with gateway() as running:
            for path in asset_paths():
                async with running.get(f"/web/{path}") as response:
                    assert response.status == 200, path

    def test_every_kind_of_file_has_a_type(self):
        assert {"." + path.rsplit(".", 1)[1] for path in asset_paths()} <= set(CONTENT_TYPES)

    def test_the_page_has_nothing_inline(self):
        inline = []

        class Finder(HTMLParser):
            def handle_starttag(self, tag, attributes):
                names = dict(attributes)
                if tag == "style" or (tag == "script" and "src" not in names):
                    inline.append(tag)
                inline.extend(name for name in names if name == "style" or name.startswith("on"))

        Finder().feed((FOLDER / "index.html").read_text())
        assert inline == []
