"""Detection for a command, by the ranges that were fetched or, before that, installed by pip."""

import datetime

import click

from originmap import bootstrap, data
from originmap.domain.mapping.catalogue import CatalogueSource
from originmap.service.detection.detector import Detector


def ranges_detector(ranges: str, catalogue: CatalogueSource = data.catalogue) -> Detector:
    """The detector with the ranges in a folder. If it has none, those that pip installed are used,
    and a line on stderr has their age. Raises RangesError, also if there are no ranges at all."""
    return bootstrap.detector(bootstrap.range_files(ranges), catalogue, _say_age)


def _say_age(published: datetime.datetime, now: datetime.datetime) -> None:
    days = max((now - published).days, 0)
    age = f"{days:,} day{'s' * (days != 1)} old"
    click.echo(
        f"IP ranges as installed, of {published.date().isoformat()}, {age};"
        " originmap ranges fetch downloads the current ones",
        err=True,
    )
