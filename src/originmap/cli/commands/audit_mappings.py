"""originmap audit-mappings: a zone's mappings against the vendors' published ranges."""

from typing import Any

import click
import msgspec

from originmap import bootstrap
from originmap.cli import options
from originmap.cli.output.table import print_json, print_table
from originmap.cli.ranges_detector import ranges_detector
from originmap.cli.server_options import server
from originmap.client.server import NATIVE, APIServer, of_zone
from originmap.domain.detection.detection import Verdict
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.catalogue import Catalogue
from originmap.domain.mapping.mapping import Place
from originmap.domain.mapping.own_regions import OwnRegions, merged
from originmap.domain.tier.tier import distance_km
from originmap.service.detection.detector import Detector


@click.command("audit-mappings")
@click.argument("zone")
@click.option(
    "--mismatches", is_flag=True, help="Only the mappings that the published ranges contradict."
)
@options.ranges
@server
@options.as_json
def command(zone: str, mismatches: bool, ranges: str, server: APIServer, as_json: bool) -> None:
    """Check a zone's mappings against the vendors' published IP ranges.

    Each row has a mapping and its verdict: docs/detection.md. A mismatch has the distance between
    the two regions in kilometres. ZONE is an ID or a name. The exit status is 1 if a mapping does
    not match.

    Example: originmap audit-mappings example.com --mismatches --db originmap.db
    """
    detector = ranges_detector(ranges)
    own = msgspec.convert(server.ask("GET", NATIVE + "/catalogue"), OwnRegions)
    catalogue = merged(bootstrap.packaged_catalogue(), own)
    found = server.ask("GET", of_zone(zone, "mappings"))
    rows = [_judged(mapping, detector, catalogue) for mapping in found["mappings"]]
    contradicted = [row for row in rows if row["verdict"] == Verdict.MISMATCH]
    shown = contradicted if mismatches else rows
    if as_json:
        print_json(shown)
    else:
        _print(shown)
    if contradicted:
        raise SystemExit(1)


def _judged(row: dict[str, Any], detector: Detector, catalogue: Catalogue) -> dict[str, Any]:
    """A mapping with its verdict, and the kilometres between the two places, if both are known."""
    claim = Place(row["vendor"], row["region"])
    detection = detector.detect(addresses.parse(row["origin_ip"]), claim)
    evidence = detection.evidence
    here = catalogue.find(*claim)
    there = catalogue.find(evidence.vendor, evidence.region or "") if evidence else None
    return {name: row[name] for name in ("origin_ip", *Place._fields)} | {
        "verdict": str(detection.verdict),
        "published_vendor": evidence.vendor if evidence else None,
        "published_region": evidence.region if evidence else None,
        "prefix": evidence.prefix if evidence else None,
        "published": evidence.published.date().isoformat() if evidence else None,
        "distance_km": round(distance_km(here, there), 1) if here and there else None,
    }


def _print(rows: list[dict[str, Any]]) -> None:
    columns = ("origin_ip", "mapped_to", "verdict", "published_in", "km", "prefix", "published")
    readable = [
        {name: "-" if value is None else value for name, value in row.items()}
        | {
            "mapped_to": f"{row['vendor']} {row['region']}",
            "published_in": " ".join(
                filter(None, (row["published_vendor"], row["published_region"]))
            )
            or "-",
            "km": "-" if row["distance_km"] is None else f"{row['distance_km']:.0f}",
        }
        for row in rows
    ]
    print_table(readable, columns)
