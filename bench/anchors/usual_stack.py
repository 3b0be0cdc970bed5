"""The usual stack: FastAPI, SQLAlchemy's ORM, SQLite and pydantic, written as in a typical project.

Nothing in it is slowed down on purpose. SQLite runs in WAL mode with synchronous=FULL, so an
acknowledged write is durable, as with Originmap. Each request has its own session through a
dependency. The bearer token is looked up in its table on each request. Bodies and responses are
pydantic models. Routes that read are coroutines, because a read takes less time than a thread
switch. Routes that wait for the disk are plain functions, which FastAPI runs in threads. The
opposite was slower for both.
"""

import hashlib
import math
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Generic, Literal, TypeVar

from fastapi import APIRouter, Body, Depends, FastAPI, HTTPException, Query, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, IPvAnyAddress, field_validator
from sqlalchemy import Engine, create_engine, event, func, select
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

from bench.anchors import anchor
from bench.harness.dataset import BATCH_SIZE, PAGE_SIZE, REGIONS, TOKEN, ZONE, ZONE_SIZE

# FastAPI runs plain functions in a pool of 40 threads; each may need a connection.
_THREADS = 40

Result = TypeVar("Result")


class Base(DeclarativeBase):
    """The tables."""


class Zone(Base):
    """A zone with mappings."""

    __tablename__ = "zone"
    id: Mapped[str] = mapped_column(primary_key=True)


class Token(Base):
    """A credential; only a hash of its secret is stored."""

    __tablename__ = "token"
    secret_sha256: Mapped[bytes] = mapped_column(primary_key=True)
    name: Mapped[str]


class Row(Base):
    """A mapping."""

    __tablename__ = "mapping"
    zone_id: Mapped[str] = mapped_column(primary_key=True)
    origin_ip: Mapped[str] = mapped_column(primary_key=True)
    vendor: Mapped[str]
    region: Mapped[str]
    modified_on: Mapped[datetime]


class MappingIn(BaseModel):
    """A mapping as a client sends it."""

    origin_ip: IPvAnyAddress
    vendor: Literal["aws", "azure", "gcp", "oci"]
    region: str

    @field_validator("region")
    @classmethod
    def known(cls, region: str) -> str:
        """Refuse a region that is not in the catalogue."""
        if region not in REGIONS:
            raise ValueError("unknown region")
        return region


class MappingOut(BaseModel):
    """A mapping in a response."""

    model_config = ConfigDict(from_attributes=True)
    modified_on: datetime
    origin_ip: str
    region: str
    vendor: str


class BatchItem(BaseModel):
    """A mapping in the response to a batch."""

    model_config = ConfigDict(from_attributes=True)
    origin_ip: str
    region: str
    vendor: str


class Batch(BaseModel):
    """The response to a batch."""

    succeeded: list[BatchItem]
    failed: list[BatchItem] = []


class PageInfo(BaseModel):
    """The position of a page in its list."""

    count: int
    page: int
    per_page: int
    total_count: int
    total_pages: int


class Answer(BaseModel, Generic[Result]):
    """The envelope of every response."""

    errors: list[str] = []
    messages: list[str] = []
    result: Result
    result_info: PageInfo | None = None
    success: bool = True


class Database:
    """Two kinds of session for one file: SQLite has many readers and one writer."""

    def __init__(self, file: Path) -> None:
        """Open the file, create the tables, and insert the zone and the token."""
        self.reading = sessionmaker(_engine(file, connections=_THREADS, begin="BEGIN"))
        # Writers queue for one connection: waiting for SQLite's lock instead means polling with
        # sleeps, which is slower and unfair. BEGIN IMMEDIATE because SQLite rejects the write of a
        # transaction that began with a read if another process wrote in between
        # (SQLITE_BUSY_SNAPSHOT).
        writer = _engine(file, connections=1, begin="BEGIN IMMEDIATE")
        self.writing = sessionmaker(writer)
        Base.metadata.create_all(writer)
        with self.writing() as session:
            session.merge(Zone(id=ZONE))
            secret = hashlib.sha256(TOKEN.encode()).digest()
            session.merge(Token(secret_sha256=secret, name="bench"))
            session.commit()


def _engine(file: Path, connections: int, begin: str) -> Engine:
    engine = create_engine(f"sqlite:///{file}", pool_size=connections, max_overflow=0)
    event.listen(engine, "connect", _set_up_connection)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def _set_up_connection(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
    # SQLAlchemy's own recipe for real transactions with sqlite3: BEGIN is ours.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


Bearer = Annotated[HTTPAuthorizationCredentials, Security(HTTPBearer())]


async def _reading(request: Request, bearer: Bearer) -> AsyncIterator[Session]:
    database: Database = request.app.state.database
    with database.reading() as session:
        _authorize(session, bearer)
        yield session


# Authorizes with a separate session: a session that held the write lock while the route waits for a
# thread would starve the thread pool.
async def _writing(request: Request, bearer: Bearer) -> AsyncIterator[Session]:
    database: Database = request.app.state.database
    with database.reading() as session:
        _authorize(session, bearer)
    with database.writing() as session:
        yield session


def _authorize(session: Session, bearer: HTTPAuthorizationCredentials) -> None:
    secret = hashlib.sha256(bearer.credentials.encode()).digest()
    if session.get(Token, secret) is None:
        raise HTTPException(401, "Authentication error")


Reader = Annotated[Session, Depends(_reading)]
Writer = Annotated[Session, Depends(_writing)]
Page = Annotated[int, Query(ge=1)]
PerPage = Annotated[int, Query(ge=1, le=PAGE_SIZE)]
BatchIn = Annotated[list[MappingIn], Body(min_length=1, max_length=BATCH_SIZE)]

_ROUTE = "/client/v4/zones/{zone_id}/origin/cloud_regions"
routes = APIRouter()


@routes.get("/healthz")
async def health() -> dict[str, str]:
    """Report that the server is up."""
    return {"status": "ok"}


@routes.get(_ROUTE)
async def list_mappings(
    zone_id: str, session: Reader, page: Page = 1, per_page: PerPage = 20
) -> Answer[list[MappingOut]]:
    """One page of a zone."""
    of_zone = select(Row).where(Row.zone_id == zone_id)
    total = _count(session, zone_id)
    window = of_zone.order_by(Row.origin_ip).offset((page - 1) * per_page).limit(per_page)
    rows = [MappingOut.model_validate(row) for row in session.scalars(window)]
    info = PageInfo(
        count=len(rows),
        page=page,
        per_page=per_page,
        total_count=total,
        total_pages=math.ceil(total / per_page),
    )
    return Answer(result=rows, result_info=info)


@routes.get(_ROUTE + "/{origin_ip}")
async def get_mapping(
    zone_id: str, origin_ip: IPvAnyAddress, session: Reader
) -> Answer[MappingOut]:
    """One mapping."""
    row = session.get(Row, (zone_id, str(origin_ip)))
    if row is None:
        raise HTTPException(404, "The zone setting does not exist.")
    return Answer(result=MappingOut.model_validate(row))


# Before PUT one: the literal segment `batch` must win over an address.
@routes.put(_ROUTE + "/batch")
def put_mappings(zone_id: str, items: BatchIn, session: Writer) -> Answer[Batch]:
    """Create or replace up to 100 mappings in one transaction."""
    ips = [str(item.origin_ip) for item in items]
    found = select(Row).where(Row.zone_id == zone_id, Row.origin_ip.in_(ips))
    rows = {row.origin_ip: row for row in session.scalars(found)}
    _check_room(session, zone_id, len(set(ips)) - len(rows))
    for item in items:
        _put(session, rows.get(str(item.origin_ip)), zone_id, item)
    session.commit()
    succeeded = [
        BatchItem(origin_ip=str(item.origin_ip), region=item.region, vendor=item.vendor)
        for item in items
    ]
    return Answer(result=Batch(succeeded=succeeded))


@routes.put(_ROUTE + "/{origin_ip}")
def put_mapping(
    zone_id: str, origin_ip: IPvAnyAddress, item: MappingIn, session: Writer
) -> Answer[MappingOut]:
    """Create or replace one mapping."""
    if item.origin_ip != origin_ip:
        raise HTTPException(400, "body origin_ip does not match URL")
    row = session.get(Row, (zone_id, str(origin_ip)))
    if row is None:
        _check_room(session, zone_id, 1)
    row = _put(session, row, zone_id, item)
    answer = MappingOut.model_validate(row)
    session.commit()
    return Answer(result=answer)


def _put(session: Session, row: Row | None, zone_id: str, item: MappingIn) -> Row:
    if row is None:
        row = Row(zone_id=zone_id, origin_ip=str(item.origin_ip))
        session.add(row)
    if (row.vendor, row.region) != (item.vendor, item.region):
        row.vendor, row.region, row.modified_on = item.vendor, item.region, datetime.now(UTC)
    return row


def _check_room(session: Session, zone_id: str, added: int) -> None:
    if added and _count(session, zone_id) + added > ZONE_SIZE:
        raise HTTPException(403, "Maximum number of IP mappings configured for zone.")


def _count(session: Session, zone_id: str) -> int:
    counted = select(func.count()).select_from(Row).where(Row.zone_id == zone_id)
    return session.scalars(counted).one()


def create(db: Path) -> FastAPI:
    """The app on a database file."""
    app = FastAPI()
    app.state.database = Database(db)
    app.include_router(routes)
    return app


if __name__ == "__main__":
    db, port = anchor.arguments(__doc__)
    anchor.serve(create(db), port)
