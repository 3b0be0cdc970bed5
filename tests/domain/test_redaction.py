"""Redaction removes passwords and nothing else."""

import pytest

from originmap.domain.redaction import hide_passwords


@pytest.mark.parametrize(
    "text",
    [
        "got postgresql://om:s3cret@127.0.0.1/om",
        "got 'POSTGRESQL+asyncpg://om:s3cret@127.0.0.1/om'",
        "got jdbc:postgresql://om:s3cret@127.0.0.1/om",
        "got postgresql:om:s3cret@127.0.0.1/om",
        "got http://om:s3cret@127.0.0.1:8787/",
        "got http://om:s3cret%40127.0.0.1:8787/",
        "got postgresql://om:p@s3cret@127.0.0.1/om",
        "got postgresql://om:a b/s3cret@127.0.0.1/om",
        "got postgresql://127.0.0.1/om?user=om&password=s3cret",
        "got host=127.0.0.1 password=s3cret",
        "got host=127.0.0.1 PASSWORD = 'so s3cret'",
        "got Server=h;Pwd=s3cret;Database=om",
        "got postgresql:///om?sslpassword=s3cret",
    ],
)
def test_a_password_is_hidden(text: str) -> None:
    shown = hide_passwords(text)
    assert "s3cret" not in shown
    assert shown.startswith("got ")
    assert "***" in shown


def test_the_colon_before_a_reason_is_kept() -> None:
    shown = hide_passwords("cannot use postgresql://h/om?password=s3:cret: connection refused")
    assert shown == "cannot use postgresql://h/om?password=***: connection refused"


@pytest.mark.parametrize(
    "text",
    [
        "write to admin@example.com about http://127.0.0.1:8787/client/v4, or user@example.org",
        "cannot use postgresql://om@db:5432/om: connection refused",
        "cannot use mysql:…: write postgresql://om@host:5432/name",
        "set PGPASSWORD, or give the password in a file",
        "/var/lib/a:b.db",
    ],
)
def test_a_text_without_a_password_is_unchanged(text: str) -> None:
    assert hide_passwords(text) == text
