-- Integers stand for zones and places, because a database can hold millions of mappings:
-- one takes about 30 bytes.
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE zone (
    num      INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again: changes refer to it
    id       TEXT    NOT NULL UNIQUE,
    mappings INTEGER NOT NULL DEFAULT 0 CHECK (mappings >= 0)
) STRICT;

CREATE TABLE place (
    num    INTEGER PRIMARY KEY,
    vendor TEXT NOT NULL,
    region TEXT NOT NULL,
    UNIQUE (vendor, region)
) STRICT;

CREATE TABLE mapping (
    zone        INTEGER NOT NULL,
    address     BLOB    NOT NULL, -- family byte, then the address: sorts as lists do
    place       INTEGER NOT NULL,
    modified_on INTEGER NOT NULL, -- microseconds since 1970 UTC
    revision    INTEGER NOT NULL,
    PRIMARY KEY (zone, address)
) STRICT, WITHOUT ROWID;

CREATE TABLE record (
    kind TEXT NOT NULL,
    id   TEXT NOT NULL,
    name TEXT NOT NULL,
    body BLOB NOT NULL, -- JSON
    PRIMARY KEY (kind, id),
    UNIQUE (kind, name)
) STRICT, WITHOUT ROWID;

-- A cause covers the changes from its own revision up to the next cause's.
CREATE TABLE cause (
    revision   INTEGER PRIMARY KEY,
    at         INTEGER NOT NULL, -- microseconds since 1970 UTC
    credential TEXT NOT NULL,
    client     TEXT NOT NULL,
    request    TEXT NOT NULL
) STRICT;

CREATE TABLE mapping_change (
    revision INTEGER PRIMARY KEY,
    zone     INTEGER NOT NULL,
    address  BLOB    NOT NULL,
    before   INTEGER, -- place; NULL when the mapping is new
    after    INTEGER  -- place; NULL when the mapping goes
) STRICT;

CREATE TABLE record_change (
    revision INTEGER PRIMARY KEY,
    kind     TEXT NOT NULL,
    id       TEXT NOT NULL,
    before   BLOB,
    after    BLOB
) STRICT;

CREATE INDEX record_change_of ON record_change (kind, id, revision);
