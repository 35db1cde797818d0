"""Reading the history: sessions, the newest first; their items, in the order of the conversation."""

import base64
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from vivavoce.gateway.history.changes import name
from vivavoce.gateway.history.database import Database
from vivavoce.gateway.history.tables import TOKENS, items, responses, sessions

__all__ = ["Filter", "Page", "Reader"]

T = TypeVar("T")

_SHOWN = [column for column in sessions.c if column.name != "process"]
_ITEM = [column for column in items.c if column.name not in {"session_id", "position"}]
_RESPONSE = [column for column in responses.c if column.name not in {"session_id", "usage"}]

_SUMS = [
    func.count().label("response_count"),
    *(func.coalesce(func.sum(responses.c[column]), 0).label(column) for column in TOKENS),
    func.sum(responses.c.cost).label("cost"),
    func.avg(responses.c.first_audio_ms).label("first_audio_ms"),
]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which sessions are asked for; what is None does not matter."""

    user: str | None = None
    model: str | None = None
    state: str | None = None
    since: float | None = None
    """Seconds since 1970, as in the next."""
    until: float | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return what is to be true of a session."""
        column = sessions.c
        equal = {column.user: self.user, column.model: self.model, column.state: self.state}
        conditions = [one == value for one, value in equal.items() if value is not None]
        if self.since is not None:
            conditions.append(column.started_at >= self.since)
        if self.until is not None:
            conditions.append(column.started_at < self.until)
        return conditions


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of many."""

    data: list[T]
    next_cursor: str | None
    """What to ask for to get those that follow; None where there are no more."""


Record = dict[str, Any]

_ALL_AT_ONCE = 1000


class Reader:
    """Every method raises `HistoryError` when the database cannot be asked."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sessions(self, wanted: Filter, *, limit: int, cursor: str | None = None) -> Page[Record]:
        """Return sessions, the newest first. Raises `ValueError` for a cursor that is none of ours."""
        chosen = select(*_SHOWN).where(*wanted.conditions())
        if cursor is not None:
            started_at, session_id = _read_cursor(cursor)
            column = sessions.c
            chosen = chosen.where(
                or_(
                    column.started_at < started_at,
                    and_(column.started_at == started_at, column.id < session_id),
                )
            )
        chosen = chosen.order_by(sessions.c.started_at.desc(), sessions.c.id.desc())
        return await self._page(chosen, limit, lambda row: [row["started_at"], row["id"]])

    async def session(self, session_id: str, *, user: str | None = None) -> Record | None:
        """Return a session with the sums over its responses, if there is one, and it is ``user``'s."""
        mine = [sessions.c.id == session_id, *Filter(user=user).conditions()]
        async with self._database.read() as connection:
            found = (await connection.execute(select(*_SHOWN).where(*mine))).mappings().first()
            if found is None:
                return None
            count = select(func.count()).where(items.c.session_id == session_id)
            sums = select(*_SUMS).where(responses.c.session_id == session_id)
            counted = await connection.scalar(count)
            summed = (await connection.execute(sums)).mappings().one()
        return {**found, "item_count": counted, **_totals(dict(summed))}

    async def items(self, session_id: str, *, limit: int, cursor: str | None = None) -> Page[Record]:
        """Return items, the first first. Raises `ValueError` for a cursor that is none of ours."""
        chosen = select(*_ITEM, items.c.position).where(items.c.session_id == session_id)
        if cursor is not None:
            position, item_id = _read_cursor(cursor)
            column = items.c
            chosen = chosen.where(
                or_(column.position > position, and_(column.position == position, column.id > item_id))
            )
        chosen = chosen.order_by(items.c.position, items.c.id)
        page = await self._page(chosen, limit, lambda row: [row["position"], row["id"]])
        for item in page.data:
            del item["position"]
        return page

    async def all_items(self, session_id: str) -> list[Record]:
        """Return all items, the first first."""
        found: list[Record] = []
        cursor = None
        while True:
            page = await self.items(session_id, limit=_ALL_AT_ONCE, cursor=cursor)
            found += page.data
            if (cursor := page.next_cursor) is None:
                return found

    async def responses(self, session_id: str) -> list[Record]:
        """Return all responses, the first first."""
        chosen = select(*_RESPONSE).where(responses.c.session_id == session_id)
        async with self._database.read() as connection:
            found = await connection.execute(chosen.order_by(responses.c.created_at, responses.c.id))
            return [_answer(dict(row)) for row in found.mappings()]

    async def _page(self, chosen: Select[Any], limit: int, key: Any) -> Page[Record]:
        async with self._database.read() as connection:
            found = [dict(row) for row in (await connection.execute(chosen.limit(limit + 1))).mappings()]
        more = len(found) > limit
        found = found[:limit]
        return Page(found, _write_cursor(key(found[-1])) if more else None)


def _answer(row: Record) -> Record:
    tokens = {column.removesuffix("_tokens"): row.pop(column) for column in TOKENS}
    return row | {"tokens": tokens}


def _totals(sums: Record) -> Record:
    tokens = {column.removesuffix("_tokens"): int(sums[column]) for column in TOKENS}
    latency = sums["first_audio_ms"]
    return {
        "response_count": sums["response_count"],
        "tokens": tokens,
        "cost": sums["cost"],
        "mean_first_audio_ms": None if latency is None else round(latency),
    }


def _write_cursor(key: list[Any]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[float, str]:
    try:
        padded = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        number, key = msgspec.json.decode(padded, type=tuple[float, str])
    except (ValueError, msgspec.DecodeError):
        raise ValueError("Expected a next_cursor of an earlier page.") from None
    return number, name(key)
