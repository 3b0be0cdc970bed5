"""Committing groups of writes to a PostgreSQL database.

Whoever writes has the row of the counter locked until the commit is visible, so revisions become
visible in their order, and whoever has it knows that nobody else changes anything. No other rows
are locked on purpose. For records the advisory lock comes first, always.
docs/decisions/0008 says more.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from originmap.domain.errors import StoreFailed, ZoneNotFound
from originmap.domain.history.change import Change, Committed
from originmap.domain.history.record import Key, Kind, RecordChange, Value
from originmap.store.clock import ForwardClock
from originmap.store.group import Write
from originmap.store.postgres import history as postgres_history
from originmap.store.postgres.draft import WRITE, Draft, Mark
from originmap.store.postgres.known_places import Asked, Counter, Known
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
"""Rows as `Known.learn` takes them."""
STORED = """
    SELECT m.zone_id, m.address, m.place, m.modified_on, m.revision, NULL
    FROM unnest($1::text[], $2::bytea[]) AS asked (zone_id, address)
    JOIN mapping AS m USING (zone_id, address)"""
_REST = f"UNION ALL {ZONES} UNION ALL {STORED}"
# One round trip for all that a group asks about: the counter, the zones, the mappings.
_READ = f"""
    SELECT epoch, NULL::bytea, NULL::text, last_at, revision, 1
    FROM state WHERE one {_REST}"""  # noqa: S608 (of constants)
# The same, and the counter stays locked. It is read as it is then, all else as it was when the
# statement began. Whether the counter was the same at that time ends its row.
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
class _Trial:
    """One try to commit a group: what each write comes to, the mark of what is written, whether
    its commit was sent, and an earlier try of which nobody knows whether it was made."""

    group: Sequence[Write]
    doubtful: "_Trial | None" = None
    settled: list[tuple[Write, Committed[Any] | BaseException]] = field(default_factory=list)
    mark: Mark | None = None
    sent: bool = False


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
        view: KnownState,
    ) -> None:
        self._line = line
        self._clock = clock
        self._view = view
        self._known = Known()
        # The last revision of this node, and whether others write at the same time.
        self._last = 0
        self._contended = False

    async def commit(self, group: Sequence[Write]) -> Done:
        """Settle every write of the group in one transaction. Raises StoreFailed.

        What failed before its commit was sent, or was undone by the server, is tried again, on a
        new connection where the old one is lost: nothing of it is there. Where it was lost later,
        the history tells whether it is there.
        """
        doubtful: _Trial | None = None
        for attempt in range(_ATTEMPTS):
            trial = _Trial(group, doubtful)
            try:
                async with asyncio.timeout(COMMAND_SECONDS):
                    connection = await self._line.get()
                    with noticing_loss(connection):
                        done = await self._try(connection, trial)
            except ERRORS as error:
                self._give_up()
                if attempt + 1 == _ATTEMPTS or not may_repeat(error):
                    raise failure(error) from error
                if trial.sent and not was_undone(error):
                    doubtful = trial
            except BaseException:
                self._give_up()
                raise
            else:
                if done.wrote:
                    self._last = done.revision
                _hand_over(trial.settled)
                return done
        raise AssertionError("unreachable")

    async def _try(self, connection: asyncpg.Connection, trial: _Trial) -> Done:
        of_mappings = trial.group[0].decide_records is None
        if of_mappings and not self._contended and trial.doubtful is None:
            done = await self._without_lock(connection, trial)
            if done is not None:
                return done
            trial.sent, self._contended = False, True
        transaction = connection.transaction()
        await transaction.start()
        done = await self._with_lock(connection, trial)
        if trial.mark is not None:
            trial.sent = True
            await transaction.commit()
            return done
        try:
            await transaction.rollback()
        except ERRORS:
            if not done.wrote:
                raise
            self._give_up()  # it was made before, whatever becomes of the look at it
        return done

    def _give_up(self) -> None:
        """What was drafted may be there or not, and the next server may know less than this."""
        self._line.drop()
        self._known.forget()

    async def _without_lock(self, connection: asyncpg.Connection, trial: _Trial) -> Done | None:
        """Read what is not known, decide, and write all in one statement, which is its own
        transaction; None where another node wrote in between, and so nothing was written here."""
        asked = _asked(trial.group)
        if self._view.state.revision != self._known.counter.revision:
            self._known.forget()
        if missing := self._known.missing(asked):
            await self._read(connection, _READ, missing)
            if self._known.missing(asked):  # another node wrote, and the rest was forgotten
                await self._read(connection, _READ, asked)
        draft = self._decide(trial)
        if trial.mark is not None:
            trial.sent = True
            if await connection.execute(WRITE, *draft.arguments()) == _NOTHING:
                self._known.forget()
                return None
        elif not missing:
            # Nothing is written that would have met what another node did meanwhile.
            self._known.forget()
            return await self._without_lock(connection, trial)
        return _done(draft)

    async def _with_lock(self, connection: asyncpg.Connection, trial: _Trial) -> Done:
        """All but the commit, with the counter locked from before it is read."""
        if trial.group[0].decide_records is not None:
            return await self._records_of(connection, trial)
        asked = _asked(trial.group)
        if not await self._read(connection, _HOLD, asked):
            # Another node was first, and the rest may be older than its commit.
            await self._read(connection, _READ, asked)
        counter = self._known.counter
        if await _was_made(connection, trial, counter):
            return Done(counter.revision, counter.at, wrote=True)
        self._contended = counter.revision != self._last
        draft = self._decide(trial)
        if trial.mark is not None:
            await connection.execute(WRITE, *draft.arguments())
        return _done(draft)

    async def _read(self, connection: asyncpg.Connection, sql: str, asked: Sequence[Asked]) -> bool:
        """Know what is asked about, as `_READ` or `_HOLD` has it; whether it is all of one
        moment."""
        keys = [zone_id for zone_id, _ in asked], [address for _, address in asked]
        (epoch, *_, last_at, revision, is_same), *rows = await connection.fetch(sql, *keys)
        self._known.learn(Counter(epoch, revision, last_at), asked, rows)
        return bool(is_same)

    def _decide(self, trial: _Trial) -> Draft:
        trial.settled.clear()
        draft = Draft(self._known)
        self._clock.pass_by(draft.first.at)
        for write in trial.group:
            trial.settled.append((write, self._decided(draft, write)))
        trial.mark = draft.mark
        return draft

    def _decided(self, draft: Draft, write: Write) -> Committed[Any] | BaseException:
        assert write.decide is not None
        try:
            view = self._known.view(write.zone_id, write.addresses)
            if view is None:
                raise ZoneNotFound(write.zone_id)
            decision = write.decide(view)
        except Exception as error:  # a refusal, or a bug in this one rule: the others go on
            return error
        at = self._clock.stamp()
        revision = draft.counter.revision + bool(decision.changes)
        if decision.changes:
            draft.write(write.zone_id, decision.changes, at, write.cause)
        return Committed(at, revision, decision.outcome)

    async def _records_of(self, connection: asyncpg.Connection, trial: _Trial) -> Done:
        write = trial.group[0]
        assert write.decide_records is not None
        await connection.execute("SELECT pg_advisory_xact_lock($1)", RECORDS)
        await self._view.look(connection)
        counter = Counter(*await connection.fetchrow(COUNTER))
        if await _was_made(connection, trial, counter):
            return Done(counter.revision, counter.at, wrote=True)
        try:
            check_seen(write.seen, counter.revision)
            decision = write.decide_records(self._view.records.view)
            check_names(self._view.records.view, decision.changes)
        except Exception as error:  # as in `_decided`
            trial.settled.append((write, error))
            return Done(0, 0, wrote=False)
        revision = counter.revision
        self._clock.pass_by(counter.at)
        at = self._clock.stamp()
        first = revision + bool(decision.changes)
        trial.settled.append((write, Committed(at, first, decision.outcome)))
        if not decision.changes:
            return Done(revision, at, wrote=False)
        trial.mark = first, at, write.cause.request_id
        for change in decision.changes:
            revision = await _write_record(connection, write, change, at, revision)
        await connection.execute(_SET_COUNTER, revision, at)
        return Done(revision, at, wrote=True, records=decision.changes)


async def _was_made(connection: asyncpg.Connection, trial: _Trial, counter: Counter) -> bool:
    """Whether an earlier try was made, of which nobody knew; if so, `trial` comes to what that came
    to. The counter is locked: what is not there now never will be if `trial` is made, for it was
    meant for where the counter stands no longer then."""
    earlier = trial.doubtful
    while earlier is not None:
        assert earlier.mark is not None
        first, at, request = earlier.mark
        if counter.revision >= first:
            row = await connection.fetchrow(_MARK, first)
            if row is None:
                raise StoreFailed("the history does not go back to what may have been written")
            if tuple(row) == (at, request):
                trial.settled = earlier.settled
                return True
        earlier = earlier.doubtful
    return False


def _asked(group: Sequence[Write]) -> list[Asked]:
    """What a group asks about; a zone also where nothing is asked of it."""
    return list({(w.zone_id, address) for w in group for address in w.addresses or (None,)})


def _done(draft: Draft) -> Done:
    return Done(draft.counter.revision, draft.counter.at, wrote=draft.mark is not None)


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
