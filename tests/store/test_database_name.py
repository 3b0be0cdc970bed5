"""Names of databases: a URL is never used as the name of a file."""

import pytest

from originmap.domain.errors import StoreUnusable
from originmap.store.database_name import check_name

LOGIN = "om:s3cret@127.0.0.1/om"


@pytest.mark.parametrize(
    "db",
    [
        f"postgresql+asyncpg://{LOGIN}",
        f"postgres+psycopg2://{LOGIN}",
        f"Postgres://{LOGIN}",
        f"POSTGRESQL://{LOGIN}",
        f"postgresq://{LOGIN}",
        f"mysql://{LOGIN}",
        f"sqlite://{LOGIN}",
        "sqlite:///originmap.db",
        "file:originmap.db",
        f" postgresql://{LOGIN}",
        f"\npostgresql://{LOGIN}",
        f"'postgresql://{LOGIN}'",
        f'"postgresql://{LOGIN}"',
        f"“postgresql://{LOGIN}”",
        f"<postgresql://{LOGIN}>",
        f"\ufeffpostgresql://{LOGIN}",
        f"psql postgresql://{LOGIN}",
        f"DATABASE_URL=postgresql://{LOGIN}",
        f"--db=postgresql://{LOGIN}",
        f"jdbc:postgresql://{LOGIN}",
        f"postgresql:/{LOGIN}",
        f"postgresql:{LOGIN}",
        f"Postgresql:{LOGIN}",
        f"postgresql//{LOGIN}",
        f"postgresql:\\\\{LOGIN}",
        f"://{LOGIN}",
        f"//{LOGIN}",
        f"/postgresql://{LOGIN}",
        LOGIN,
        "host=127.0.0.1 user=om password=s3cret dbname=om",
        "host = 127.0.0.1",
        "dbname=om",
        "Server=127.0.0.1;Port=5432;Database=om;User Id=om;Password=s3cret;",
    ],
)
def test_a_name_of_another_database_is_rejected_without_its_password(db: str) -> None:
    with pytest.raises(StoreUnusable) as caught:
        check_name(db)
    assert "not a supported database: write postgresql://" in str(caught.value)
    assert "s3cret" not in str(caught.value) + caught.value.hint + caught.value.path


@pytest.mark.parametrize(
    "db",
    [
        ":memory:",
        "originmap.db",
        "/var/lib/a:b.db",
        "/srv/host=a/om.db",
        "a:b.db",
        "./a:b.db",
        "./postgresql:om.db",
        "../file:a@b.db",
        "om@home.db",
        "10:30 copy.db",
        "C:/originmap.db",
        "postgres.db",
        "database",
    ],
)
def test_every_other_name_is_accepted_for_a_file(db: str) -> None:
    check_name(db)
