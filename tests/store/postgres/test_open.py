"""Opening a database: its migration, and the reasons why it is unusable."""

import asyncio
import subprocess
import sys
from collections.abc import Callable

import pytest

from originmap.domain.errors import (
    StoreUnusable,
)
from originmap.store.postgres.store import open_postgres
from originmap.store.postgres.url import redacted
from tests.builders import CAUSE, new_zone
from tests.postgres import Cluster
from tests.store.nodes import put


async def test_processes_that_start_at_once_create_one_database(url: str) -> None:
    stores = await asyncio.gather(*(open_postgres(url) for _ in range(6)))
    assert len({store.epoch for store in stores}) == 1
    for store in stores:
        await store.close()


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("CREATE TABLE theirs (x integer)", "another program"),
        (
            "CREATE TABLE originmap (one boolean, version integer);"
            "INSERT INTO originmap VALUES (true, 999)",
            "version 999",
        ),
    ],
)
async def test_an_unusable_database_is_rejected_unchanged(
    cluster: Cluster, url: str, statement: str, says: str
) -> None:
    name = url.rpartition("/")[2]
    cluster.sql(statement, name)
    tables = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    before = cluster.sql(tables, name)
    with pytest.raises(StoreUnusable, match=says) as caught:
        await open_postgres(url)
    assert caught.value.hint
    assert cluster.sql(tables, name) == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda url: url.rpartition("/")[0] + "/nothing", "does not exist"),
        (lambda url: "postgresql://originmap:s3cret@127.0.0.1:1/x", "refused|connect"),
        (lambda url: "postgresql://originmap:s3cret@host:no/x", "cannot be read"),
        (lambda url: url.replace("originmap@", "somebody:s3cret@"), "somebody"),
    ],
)
async def test_an_unusable_server_is_named_without_its_password(
    url: str, change: Callable[[str], str], says: str
) -> None:
    with pytest.raises(StoreUnusable, match=says) as caught:
        await open_postgres(change(url))
    assert caught.value.hint
    assert "s3cret" not in str(caught.value) + caught.value.hint


@pytest.mark.parametrize("options", ["project=a", "-c nothing=1", "-c port=1"])
async def test_options_that_the_server_rejects_are_named_in_the_hint(
    url: str, options: str
) -> None:
    with pytest.raises(StoreUnusable) as caught:
        await open_postgres(url, environment={"PGOPTIONS": options})
    assert "\n" not in str(caught.value)
    assert "PGOPTIONS" in caught.value.hint


@pytest.mark.parametrize(
    ("db", "shown"),
    [
        ("/var/lib/a.db", "/var/lib/a.db"),
        ("postgresql://host/db", "postgresql://host/db"),
        ("postgresql://me@host/db", "postgresql://me@host/db"),
        ("postgresql://me:pw@a:1,b:2/db?x=1", "postgresql://me:***@a:1,b:2/db?x=1"),
        ("postgres://me:p@w/o?r#d@host/db", "postgres://me:***@host/db"),
        ("postgresql://h/db?password=pw&x=1", "postgresql://h/db?password=***&x=1"),
    ],
)
def test_a_password_is_redacted(db: str, shown: str) -> None:
    assert redacted(db) == shown


def test_the_driver_is_imported_only_if_needed() -> None:
    program = "import sys, originmap.bootstrap; sys.exit('asyncpg' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


async def test_the_next_server_is_tried_if_one_does_not_respond(
    own_cluster: Cluster, cluster: Cluster
) -> None:
    own_cluster.hang()
    url = cluster.new_database().replace("@", f"@{own_cluster.address},")
    store = await open_postgres(url)
    await store.write_records(new_zone(), CAUSE)
    await put(store, "192.0.2.1")
    await store.close()
