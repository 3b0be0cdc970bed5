"""Commits groups of writes to a PostgreSQL database.

A writer locks the row of the counter until its commit is visible. So revisions become visible in
order, and the holder of the lock knows that nothing else changes. No other rows are locked
explicitly. For records, the advisory lock is always taken first. See docs/decisions/0008.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import asyncpg

from originmap.domain.errors import StoreFailed, ZoneNotFound
from originmap.domain.history.change import Change, Committed
from originmap.domain.history.record import Key, Kind, RecordChange, Value
from originmap.store.clock import ForwardClock
from originmap.store.group import Write
from originmap.store.postgres import history as postgres_history
from originmap.store.postgres.draft import WRITE, Draft, Mark
from originmap.store.postgres.mapping_cache import CacheKey, Counter, MappingCache
from originmap.store.postgres.pool import (
    COMMAND_SECONDS,
    ERRORS,
    Line,
    failure,
    may_repeat,
    noticing_loss,
    was_undone,
)
from originmap.store.postgres.schema import RECORDS
from originmap.store.postgres.view import KnownState
from originmap.store.records import check_names, check_seen, encode, unique_name

COUNTER = "SELECT epoch, revision, last_at FROM state WHERE one FOR UPDATE"
ZONES = "SELECT id, NULL, NULL, NULL, NULL, mappings FROM zone WHERE id = ANY($1::text[])"
"""Rows in the form that `MappingCache.learn` expects."""
STORED = """
    SELECT m.zone_id, m.address, m.place, m.modified_on, m.revision, NULL
    FROM unnest($1::text[], $2::bytea[]) AS asked (zone_id, address)
    JOIN mapping AS m USING (zone_id, address)"""
_REST = f"UNION ALL {ZONES} UNION ALL {STORED}"
# One round trip for everything a group needs: the counter, the zones and the mappings.
_READ = f"""
    SELECT epoch, NULL::bytea, NULL::text, last_at, revision, 1
    FROM state WHERE one {_REST}"""  # noqa: S608 (of constants)
# The same, with the counter locked. The counter is read as of the lock, and the rest as of the
# start of the statement. The last column of the counter's row tells whether both are the same.
_HOLD = f"""
    WITH counter AS MATERIALIZED ({COUNTER})
    SELECT epoch, NULL::bytea, NULL::text, last_at, revision,
        ((epoch, revision, last_at) = (SELECT epoch, revision, last_at FROM state WHERE one))::int
    FROM counter {_REST}"""  # noqa: S608 (of constants)
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
_MARK = "SELECT at, request FROM change WHERE revision = $1"
_NOTHING = "INSERT 0 0"
_ATTEMPTS = 3


@dataclass(slots=True)
class _Attempt:
    """One attempt to commit a group: the result of each write, the mark of its changes, and whether
    its commit was sent. `doubtful` is an earlier attempt with unknown outcome."""

    group: Sequence[Write]
    doubtful: "_Attempt | None" = None
    settled: list[tuple[Write, Committed[object] | BaseException]] = field(default_factory=list)
    mark: Mark | None = None
    sent: bool = False


@dataclass(slots=True)
class Done:
    """The result of a transaction: the new revision, its time, and the changes of records."""

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
        view: KnownState,
    ) -> None:
        self._line = line
        self._clock = clock
        self._view = view
        self._cache = MappingCache()
        # The last revision of this node, and whether other nodes write at the same time.
        self._last = 0
        self._contended = False

    def start_after(self, moment: int) -> None:
        """Stamp the next commit after `moment`, the time of a loaded snapshot."""
        self._clock = self._clock.after(moment)

    async def commit(self, group: Sequence[Write]) -> Done:
        """Settle every write of the group in one transaction. Raises StoreFailed.

        An attempt that failed before its commit was sent, or that the server rolled back, left
        nothing behind and is retried, on a new connection if the old one was lost. If the
        connection was lost after the commit was sent, the history shows whether it was committed.
        """
        doubtful: _Attempt | None = None
        for number in range(1, _ATTEMPTS + 1):
            attempt = _Attempt(group, doubtful)
            try:
                async with asyncio.timeout(COMMAND_SECONDS):
                    connection = await self._line.get()
                    with noticing_loss(connection):
                        done = await self._try(connection, attempt)
            except ERRORS as error:
                self._reset()
                if number == _ATTEMPTS or not may_repeat(error):
                    raise failure(error) from error
                if attempt.sent and not was_undone(error):
                    doubtful = attempt
            except BaseException:
                self._reset()
                raise
            else:
                if done.wrote:
                    self._last = done.revision
                _deliver(attempt.settled)
                return done
        raise AssertionError("unreachable")

    async def _try(self, connection: asyncpg.Connection, attempt: _Attempt) -> Done:
        of_mappings = attempt.group[0].decide_records is None
        if of_mappings and not self._contended and attempt.doubtful is None:
            done = await self._without_lock(connection, attempt)
            if done is not None:
                return done
            attempt.sent, self._contended = False, True
        transaction = connection.transaction()
        await transaction.start()
        done = await self._with_lock(connection, attempt)
        if attempt.mark is not None:
            attempt.sent = True
            await transaction.commit()
            return done
        try:
            await transaction.rollback()
        except ERRORS:
            if not done.wrote:
                raise
            self._reset()  # the earlier attempt is committed, even if this rollback fails
        return done

    def _reset(self) -> None:
        """Drop the connection and the cache: the draft may be committed or not, and the next server
        may be behind this one."""
        self._line.drop()
        self._cache.forget()

    async def _without_lock(self, connection: asyncpg.Connection, attempt: _Attempt) -> Done | None:
        """Read what is not cached, decide, and write in one statement, which is its own
        transaction. Return None if another node wrote in between; then nothing was written here."""
        keys = _keys_of(attempt.group)
        if self._view.state.revision != self._cache.counter.revision:
            self._cache.forget()
        if missing := self._cache.missing(keys):
            await self._read(connection, _READ, missing)
            if self._cache.missing(keys):  # another node wrote, so the cache was cleared
                await self._read(connection, _READ, keys)
        draft = self._decide(attempt)
        if attempt.mark is not None:
            attempt.sent = True
            if await connection.execute(WRITE, *draft.arguments()) == _NOTHING:
                self._cache.forget()
                return None
        elif not missing:
            # Without a write, nothing compares the cache with the counter: decide on fresh rows.
            self._cache.forget()
            return await self._without_lock(connection, attempt)
        return _done(draft)

    async def _with_lock(self, connection: asyncpg.Connection, attempt: _Attempt) -> Done:
        """Do everything except the commit, with the counter locked before it is read."""
        if attempt.group[0].decide_records is not None:
            return await self._records_of(connection, attempt)
        keys = _keys_of(attempt.group)
        if not await self._read(connection, _HOLD, keys):
            # Another node committed first, and the other rows may be older than its commit.
            await self._read(connection, _READ, keys)
        counter = self._cache.counter
        if await _was_committed(connection, attempt, counter):
            return Done(counter.revision, counter.at, wrote=True)
        self._contended = counter.revision != self._last
        draft = self._decide(attempt)
        if attempt.mark is not None:
            await connection.execute(WRITE, *draft.arguments())
        return _done(draft)

    async def _read(
        self, connection: asyncpg.Connection, sql: str, keys: Sequence[CacheKey]
    ) -> bool:
        """Read `keys` into the cache with `_READ` or `_HOLD`. Return whether counter and rows are
        of the same moment."""
        arguments = [zone_id for zone_id, _ in keys], [address for _, address in keys]
        (epoch, *_, last_at, revision, is_same), *rows = await connection.fetch(sql, *arguments)
        self._cache.learn(Counter(epoch, revision, last_at), keys, rows)
        return bool(is_same)

    def _decide(self, attempt: _Attempt) -> Draft:
        attempt.settled.clear()
        draft = Draft(self._cache)
        self._clock.pass_by(draft.first.at)
        for write in attempt.group:
            attempt.settled.append((write, self._decided(draft, write)))
        attempt.mark = draft.mark
        return draft

    def _decided(self, draft: Draft, write: Write) -> Committed[object] | BaseException:
        assert write.decide is not None
        try:
            view = self._cache.view(write.zone_id, write.addresses)
            if view is None:
                raise ZoneNotFound(write.zone_id)
            decision = write.decide(view)
        except Exception as error:  # a rejection or a bug in one rule; other writes go on
            return error
        at = self._clock.stamp()
        revision = draft.counter.revision + bool(decision.changes)
        if decision.changes:
            draft.write(write.zone_id, decision.changes, at, write.cause)
        return Committed(at, revision, decision.outcome)

    async def _records_of(self, connection: asyncpg.Connection, attempt: _Attempt) -> Done:
        write = attempt.group[0]
        assert write.decide_records is not None
        await connection.execute("SELECT pg_advisory_xact_lock($1)", RECORDS)
        await self._view.look(connection)
        counter = Counter(*await connection.fetchrow(COUNTER))
        if await _was_committed(connection, attempt, counter):
            return Done(counter.revision, counter.at, wrote=True)
        try:
            check_seen(write.seen, counter.revision)
            decision = write.decide_records(self._view.records.view)
            check_names(self._view.records.view, decision.changes)
        except Exception as error:  # as in `_decided`
            attempt.settled.append((write, error))
            return Done(0, 0, wrote=False)
        revision = counter.revision
        self._clock.pass_by(counter.at)
        at = self._clock.stamp()
        first = revision + bool(decision.changes)
        attempt.settled.append((write, Committed(at, first, decision.outcome)))
        if not decision.changes:
            return Done(revision, at, wrote=False)
        attempt.mark = first, at, write.cause.request_id
        for change in decision.changes:
            revision = await _write_record(connection, write, change, at, revision)
        await connection.execute(_SET_COUNTER, revision, at)
        return Done(revision, at, wrote=True, records=decision.changes)


async def _was_committed(
    connection: asyncpg.Connection, attempt: _Attempt, counter: Counter
) -> bool:
    """Report whether an earlier attempt with unknown outcome was committed; if so, `attempt` gets
    its results.

    The counter is locked. An attempt that is not visible now can never be committed after `attempt`
    is, because it depends on the old counter.
    """
    earlier = attempt.doubtful
    while earlier is not None:
        assert earlier.mark is not None
        first, at, request = earlier.mark
        if counter.revision >= first:
            row = await connection.fetchrow(_MARK, first)
            if row is None:
                raise StoreFailed(
                    "the outcome of a commit is unknown: the history does not go back to it"
                )
            if tuple(row) == (at, request):
                attempt.settled = earlier.settled
                return True
        earlier = earlier.doubtful
    return False


def _keys_of(group: Sequence[Write]) -> list[CacheKey]:
    """Return the keys that a group needs; at least the zone of each write."""
    return list({(w.zone_id, address) for w in group for address in w.addresses or (None,)})


def _done(draft: Draft) -> Done:
    return Done(draft.counter.revision, draft.counter.at, wrote=draft.mark is not None)


async def _write_record(
    connection: asyncpg.Connection, write: Write, change: RecordChange, at: int, revision: int
) -> int:
    """Write one record and its change, and return the new revision."""
    kind, id_ = change.key
    zone_id = id_ if kind is Kind.ZONE else ""
    if change.after is None:
        if zone_id:
            cause = postgres_history.cause_columns(write.cause)
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


def _deliver(settled: Sequence[tuple[Write, Committed[object] | BaseException]]) -> None:
    for write, result in settled:
        if isinstance(result, BaseException):
            write.refused(result)
        else:
            write.done(result)
