-- zone_id leads the keys, and no number is handed out but the revision, so that tables can be
-- spread over machines by it. Text is compared by its bytes: the order of zones is the same on
-- every server, whatever its locale.
CREATE TABLE originmap ( -- its presence says whose database this is
    one     boolean PRIMARY KEY DEFAULT true CHECK (one),
    version integer NOT NULL
);
INSERT INTO originmap (version) VALUES (0);

-- One row, updated by every commit and therefore kept on one page.
CREATE TABLE state (
    one        boolean PRIMARY KEY DEFAULT true CHECK (one),
    epoch      text    NOT NULL,
    is_replica boolean NOT NULL DEFAULT false,
    revision   bigint  NOT NULL DEFAULT 0, -- of the last change
    last_at    bigint  NOT NULL DEFAULT 0, -- its time: microseconds since 1970 UTC
    oldest     bigint  NOT NULL DEFAULT 0  -- every change after this revision is in the history
) WITH (fillfactor = 10);
INSERT INTO state (epoch) VALUES (substr(md5(gen_random_uuid()::text), 1, 16));

CREATE TABLE zone (
    id       text COLLATE "C" PRIMARY KEY,
    mappings integer NOT NULL DEFAULT 0 CHECK (mappings >= 0)
) WITH (fillfactor = 50);

CREATE TABLE mapping (
    zone_id     text COLLATE "C" NOT NULL,
    address     bytea  NOT NULL, -- family byte, then the address: sorts as lists do
    place       text COLLATE "C" NOT NULL, -- vendor/region
    modified_on bigint NOT NULL, -- microseconds since 1970 UTC
    revision    bigint NOT NULL,
    PRIMARY KEY (zone_id, address)
) WITH (fillfactor = 90);

CREATE TABLE record (
    kind text COLLATE "C" NOT NULL,
    id   text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    body bytea NOT NULL, -- JSON
    PRIMARY KEY (kind, id),
    UNIQUE (kind, name)
);

-- A change and its cause in one row, because most causes make one change. It is of a mapping,
-- with the places before and after, or of a record, with the bodies before and after.
CREATE TABLE change (
    zone_id    text COLLATE "C" NOT NULL, -- '' where it concerns no zone
    revision   bigint NOT NULL,
    at         bigint NOT NULL, -- microseconds since 1970 UTC
    credential text   NOT NULL,
    client     text   NOT NULL,
    request    text   NOT NULL,
    address    bytea,
    old_place  text COLLATE "C",
    new_place  text COLLATE "C",
    kind       text COLLATE "C",
    id         text COLLATE "C",
    old_body   bytea,
    new_body   bytea,
    PRIMARY KEY (zone_id, revision)
);
CREATE INDEX change_in_order ON change (revision);
CREATE INDEX change_of_address ON change (zone_id, address, revision) WHERE address IS NOT NULL;
CREATE INDEX change_of_record ON change (kind, id, revision) WHERE kind IS NOT NULL;
CREATE INDEX record_change_in_order ON change (revision) WHERE kind IS NOT NULL;
