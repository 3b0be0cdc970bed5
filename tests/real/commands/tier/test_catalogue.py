"""originmap catalogue, with and without a running server."""

from pathlib import Path

from tests.real.command import output, refusal, rows

POSITION = ("--latitude", "-33.8688", "--longitude", "151.2093")


def test_regions_are_added_imported_shown_and_removed(db: Path, tmp_path: Path) -> None:
    assert rows("catalogue", "show", "--db", db) == []
    output("catalogue", "add", "acme", "syd-1", *POSITION, "--country", "AU", "--db", db)
    file = tmp_path / "regions.yaml"
    file.write_text("- {vendor: acme, region: osl-1, country: NO, latitude: 59.9, longitude: 10}\n")
    for _ in range(2):
        output("catalogue", "import", file, "--db", db)
    feed = tmp_path / "feed.csv"
    feed.write_text("192.0.2.0/24,NL,NL-NH,Amsterdam,\n")
    output("catalogue", "import", feed, "--vendor", "other", "--db", db)
    lines = output("catalogue", "show", "--db", db).splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [
        ["acme", "osl-1"],
        ["acme", "syd-1"],
        ["other", "nl-nh-amsterdam"],
    ]
    shown = tmp_path / "shown.json"
    shown.write_text(output("catalogue", "show", "--json", "--db", db))
    output("catalogue", "remove", "acme", "osl-1", "syd-1", "--db", db)
    assert [row["vendor"] for row in rows("catalogue", "show", "--db", db)] == ["other"]
    output("catalogue", "import", shown, "--db", db)
    assert len(rows("catalogue", "show", "--db", db)) == 3
    assert "catalogue" in output("audit", "--db", db)


def test_wrong_input_changes_nothing(db: Path, tmp_path: Path) -> None:
    text = refusal("catalogue", "add", "aws", "us-east-1", *POSITION, "--db", db)
    assert "aws us-east-1 is in the packaged catalogue" in text
    assert "no own region acme x" in refusal("catalogue", "remove", "acme", "x", "--db", db)
    feed = tmp_path / "feed.csv"
    feed.write_text("192.0.2.0/24,PL,,Gdynia,\n")
    text = refusal("catalogue", "import", feed, "--vendor", "acme", "--db", db)
    assert "feed.csv:1: no coordinates of Gdynia, PL" in text
    assert "--places" in text
    refusal("catalogue", "add", "a", "b", "--latitude", "nan", *POSITION[2:], "--db", db, status=2)
    refusal("catalogue", "import", feed, "--places", feed, "--db", db, status=2)
    assert rows("catalogue", "show", "--db", db) == []
