"""Committing groups of writes to a PostgreSQL database.

The order of locks is the same everywhere, so that no two nodes wait for each other: for records
the advisory lock, then rows of zones in the order of their ids, then the counter. The counter is
held until the commit is visible, so revisions become visible in their order.
docs/decisions/0008 says more.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from originmap.domain.change import Change, Committed
from originmap.domain.errors import ZoneNotFound
from originmap.domain.mapping import Mapping
from originmap.domain.record import Key, Kind, RecordChange, Value
from originmap.store import postgres_history
from originmap.store.clock import ForwardClock
from originmap.store.group import Write
from originmap.store.postgres_draft import WRITE, Draft
from originmap.store.postgres_pool import COMMAND_SECONDS, ERRORS, Line, failure, may_repeat
from originmap.store.postgres_schema import RECORDS
from originmap.store.postgres_view import View
from originmap.store.records import check_names, encode, unique_name

LOCK_ZONES = "SELECT id, mappings FROM zone WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE"
COUNTER = "SELECT revision, last_at FROM state WHERE one FOR UPDATE"
_STORED = """
    SELECT m.zone_id, m.address, m.place, m.modified_on, m.revision
    FROM unnest($1::text[], $2::bytea[]) AS asked (zone_id, address)
    JOIN mapping AS m USING (zone_id, address)"""
# One round trip: locks the zones, then the counter, and reads every mapping that is asked about.
# What is locked is read as it is now, all else as it was when the statement began: so the mappings
# are current if the counter was then what it is now. What it was then ends its row.
_HOLD = f"""
    WITH locked AS MATERIALIZED ({LOCK_ZONES}),
    counter AS MATERIALIZED (
        SELECT revision, last_at FROM state
        WHERE one AND (SELECT count(*) FROM locked) >= 0 FOR UPDATE),
    stored AS ({_STORED})
    SELECT NULL::text, NULL::bytea, NULL::text, last_at, revision,
        (SELECT revision FROM state WHERE one) FROM counter
    UNION ALL SELECT id, NULL, NULL, NULL, NULL, mappings FROM locked
    UNION ALL SELECT stored.*, NULL FROM stored"""  # noqa: S608 (put together from constants)
_EMPTY_ZONE = """
    INSERT INTO change (zone_id, revision, at, credential, client, request, address,
                        old_place)
    SELECT zone_id, $2 + row_number() OVER (ORDER BY address), $3, $4, $5, $6, address,
        place
    FROM mapping WHERE zone_id = $1"""
_RECORD = """
    INSERT INTO record (kind, id, name, body) VALUES ($1, $2, $3, $4)
    ON CONFLICT (kind, id) DO UPDATE SET name = excluded.name, body = excluded.body"""
INSERT_CHANGE = f"""
    INSERT INTO change ({", ".join(postgres_history.COLUMNS)})
    VALUES ({", ".join(f"${n + 1}" for n in range(len(postgres_history.COLUMNS)))})"""  # noqa: S608
_SET_COUNTER = "UPDATE state SET revision = $1, last_at = $2 WHERE one"
_ATTEMPTS = 3


@dataclass(slots=True)
class Done:
    """What a transaction made: the revision there is now, its time, and the changes of records."""

    revision: int
    at: int
    wrote: bool
    records: tuple[RecordChange, ...] = ()


class Commits:
    """Commits groups on one connection."""

    def __init__(
        self,
        line: Line,
        clock: ForwardClock,
        view: View,
    ) -> None:
        self._line = line
        self._clock = clock
        self._view = view

    async def commit(self, group: Sequence[Write]) -> Done:
        """Settle every write of the group in one transaction. Raises StoreFailed.

        What failed before its COMMIT was sent is tried again, on a new connection where the old
        one is lost: nothing of it is there.
        """
        for attempt in range(_ATTEMPTS):
            settled: list[tuple[Write, Committed[Any] | BaseException]] = []
            sent = False
            try:
                async with asyncio.timeout(COMMAND_SECONDS):
                    connection = await self._line.get()
                    transaction = connection.transaction()
                    await transaction.start()
                    done = await self._settle(connection, group, settled)
                    if done.wrote:
                        sent = True
                        await transaction.commit()
                    else:
                        await transaction.rollback()
            except ERRORS as error:
                self._line.drop()
                if sent or attempt + 1 == _ATTEMPTS or not may_repeat(error):
                    raise failure(error) from error
            except BaseException:
                self._line.drop()
                raise
            else:
                _hand_over(settled)
                return done
        raise AssertionError("unreachable")

    async def _settle(
        self,
        connection: asyncpg.Connection,
        group: Sequence[Write],
        settled: list[tuple[Write, Committed[Any] | BaseException]],
    ) -> Done:
        if group[0].decide_records is not None:
            return await self._records_of(connection, group[0], settled)
        draft = await _draft(connection, group)
        first = draft.revision
        self._clock.pass_by(draft.at)
        for write in group:
            settled.append((write, self._decided(draft, write)))
        if draft.revision == first:
            return Done(first, draft.at, wrote=False)
        await connection.execute(WRITE, *draft.arguments())
        return Done(draft.revision, draft.at, wrote=True)

    def _decided(self, draft: Draft, write: Write) -> Committed[Any] | BaseException:
        assert write.decide is not None
        try:
            if write.zone_id not in draft.counts:
                raise ZoneNotFound(write.zone_id)
            decision = write.decide(draft.view(write.zone_id, write.addresses))
        except Exception as error:  # a refusal, or a bug in this one rule: the others go on
            return error
        at = self._clock.stamp()
        revision = draft.revision + bool(decision.changes)
        if decision.changes:
            draft.write(write.zone_id, decision.changes, at, write.cause)
        return Committed(at, revision, decision.outcome)

    async def _records_of(
        self,
        connection: asyncpg.Connection,
        write: Write,
        settled: list[tuple[Write, Committed[Any] | BaseException]],
    ) -> Done:
        assert write.decide_records is not None
        await connection.execute("SELECT pg_advisory_xact_lock($1)", RECORDS)
        await self._view.look(connection)
        try:
            decision = write.decide_records(self._view.records.view)
            check_names(self._view.records.view, decision.changes)
        except Exception as error:  # as in `_decided`
            settled.append((write, error))
            return Done(0, 0, wrote=False)
        zones = [c.key.id for c in decision.changes if c.key.kind is Kind.ZONE]
        await connection.execute(LOCK_ZONES, zones)
        revision, last_at = await connection.fetchrow(COUNTER)
        self._clock.pass_by(last_at)
        at = self._clock.stamp()
        first = revision + bool(decision.changes)
        settled.append((write, Committed(at, first, decision.outcome)))
        if not decision.changes:
            return Done(revision, at, wrote=False)
        for change in decision.changes:
            revision = await _write_record(connection, write, change, at, revision)
        await connection.execute(_SET_COUNTER, revision, at)
        return Done(revision, at, wrote=True, records=decision.changes)


async def _draft(connection: asyncpg.Connection, group: Sequence[Write]) -> Draft:
    """What the group asks about, held still until the transaction ends."""
    # A zone is locked also where nothing is asked about.
    asked = {(write.zone_id, address) for write in group for address in write.addresses or (None,)}
    keys = [zone_id for zone_id, _ in asked], [address for _, address in asked]
    counter, *rows = await connection.fetch(_HOLD, *keys)
    _, _, _, last_at, revision, seen = counter
    counts = {zone_id: mappings for zone_id, address, *_, mappings in rows if address is None}
    stored = [tuple(row)[:5] for row in rows[len(counts) :]]
    if seen != revision:  # another node was first, and what was read may be older than its commit
        stored = await connection.fetch(_STORED, *keys)
    draft = Draft(counts, revision, last_at)
    for zone_id, address, text, modified_on, at_revision in stored:
        place = postgres_history.place_of(text)
        draft.know(zone_id, Mapping(address, place, modified_on, at_revision))
    return draft


async def _write_record(
    connection: asyncpg.Connection, write: Write, change: RecordChange, at: int, revision: int
) -> int:
    """Write one record and its change; the revision that is reached."""
    kind, id_ = change.key
    zone_id = id_ if kind is Kind.ZONE else ""
    if change.after is None:
        if zone_id:
            cause = postgres_history.who(write.cause)
            status = await connection.execute(_EMPTY_ZONE, zone_id, revision, at, *cause)
            revision += int(status.rpartition(" ")[2])  # "INSERT 0 17"
            await connection.execute("DELETE FROM mapping WHERE zone_id = $1", zone_id)
            await connection.execute("DELETE FROM zone WHERE id = $1", zone_id)
        await connection.execute("DELETE FROM record WHERE kind = $1 AND id = $2", kind.value, id_)
    else:
        await put_record(connection, change.key, change.after)
        if zone_id and change.before is None:
            await connection.execute("INSERT INTO zone (id) VALUES ($1)", zone_id)
    revision += 1
    row = postgres_history.row_of(Change(revision, at, write.cause, zone_id, change))
    await connection.execute(INSERT_CHANGE, *row)
    return revision


async def put_record(connection: asyncpg.Connection, key: Key, value: Value) -> None:
    """Write one record, without its change."""
    body = encode(value)
    await connection.execute(_RECORD, key.kind.value, key.id, unique_name(value), body)


def _hand_over(settled: Sequence[tuple[Write, Committed[Any] | BaseException]]) -> None:
    for write, result in settled:
        if isinstance(result, BaseException):
            write.refused(result)
        else:
            write.done(result)
