"""Passwords are never printed, even if the command line is invalid."""

from pathlib import Path

import pytest

from tests.real.command import refusal, run

LOGIN = "om:s3cret@127.0.0.1:1/om"
OTHER = f"postgresql+asyncpg://{LOGIN}"


@pytest.mark.parametrize(
    "command",
    [
        ("serve", "--db", OTHER),
        ("dev", "--db", OTHER),
        ("zone", "list", "--db", f" postgresql://{LOGIN}"),
        ("zone", "create", "example.com", "--db", f"'postgresql://{LOGIN}'"),
        ("token", "list", "--db", f"mysql://{LOGIN}"),
        ("migrate", "--db", f"Postgres://{LOGIN}"),
        ("promote", "--db", OTHER),
        ("copy", "--from", OTHER, "--to", "new.db"),
        ("copy", "--from", "old.db", "--to", OTHER),
        ("export", "csv", "--db", OTHER),
        ("rollout", "status", "--db", OTHER),
    ],
)
def test_a_database_of_another_kind_is_refused_by_every_command(command: tuple[str, ...]) -> None:
    message = refusal(*command)
    assert "not a supported database: write postgresql://" in message
    assert "s3cret" not in message


def test_a_database_of_another_kind_is_refused_in_the_environment_too() -> None:
    message = refusal("zone", "list", env={"ORIGINMAP_DB": OTHER})
    assert "not a supported database: write postgresql://" in message
    assert "s3cret" not in message


@pytest.mark.parametrize(
    "command",
    [
        ("zone", "list", f"postgresql://{LOGIN}"),
        (f"postgresql://{LOGIN}",),
        ("zone", "create", f"postgresql://{LOGIN}", "--db", "new.db"),
        ("zone", "list", "--bd", f"postgresql://{LOGIN}"),
        ("serve", "--db", "new.db", "--follow", "http://om:s3cret@127.0.0.1:1"),
        ("rollout", "status", "--server", "om:s3cret@127.0.0.1:1"),
        ("zone", "list", "--db", f"postgresql://{LOGIN}"),
        ("promote", "--db", f"postgresql://{LOGIN}"),
        ("plan", "mappings.yaml", "--api", "ftp://om:s3cret@127.0.0.1:1"),
        ("serve", "--port", f"postgresql://{LOGIN}"),
    ],
)
def test_a_password_in_a_wrong_position_is_not_printed(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    placed = [tmp_path / word if word == "new.db" else word for word in command]
    done = run(*placed, env={"CLOUDFLARE_API_TOKEN": "x" * 40})
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "s3cret" not in done.stdout + done.stderr
