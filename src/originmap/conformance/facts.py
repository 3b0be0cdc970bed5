"""All facts about Cloudflare's API: the source of docs/conformance.md."""

from typing import NamedTuple

from originmap.conformance.choices import CHOICES
from originmap.conformance.fact import OurChoice, Published, Unknown
from originmap.conformance.published import PUBLISHED
from originmap.conformance.unknown import UNKNOWN


class Facts(NamedTuple):
    """The tables."""

    published: tuple[Published, ...]
    decisions: tuple[OurChoice, ...]
    unknown: tuple[Unknown, ...]


FACTS = Facts(PUBLISHED, CHOICES, UNKNOWN)
