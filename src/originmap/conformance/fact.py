"""The kinds of rows in the tables of this package."""

from typing import NamedTuple

OBSERVED = ("client", "reported")
"""The sources of unpublished facts: an official client's code, or a report about a response of the
real API."""

STRENGTHS = ("published", "observed", "decided", "unknown")
"""What a response can rest on, from the strongest to the weakest."""


class Published(NamedTuple):
    """A fact about Cloudflare's API. `source` is reference, docs, client or reported."""

    id: str
    source: str
    fact: str


class OurChoice(NamedTuple):
    """What Originmap does where nothing is published."""

    id: str
    question: str
    choice: str


class Unknown(NamedTuple):
    """A question that nothing published answers. `ours` are the IDs of our decisions about it."""

    id: str
    question: str
    ours: tuple[str, ...]
