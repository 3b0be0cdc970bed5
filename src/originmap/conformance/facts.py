"""The facts in facts.toml: published or observed behaviour, decisions, and open questions."""

import tomllib
from importlib import resources
from typing import NamedTuple

OBSERVED = ("client", "reported")
"""The sources of facts that nobody published: an official client's code, or a report by somebody
who saw the real API respond this way."""


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


class Facts(NamedTuple):
    """All rows of facts.toml, in its order."""

    published: tuple[Published, ...]
    decisions: tuple[OurChoice, ...]
    unknown: tuple[Unknown, ...]


def load_facts() -> Facts:
    """Read the packaged facts."""
    text = resources.files(__package__).joinpath("facts.toml").read_text("utf-8")
    tables = tomllib.loads(text)
    return Facts(
        tuple(Published(**row) for row in tables["published"]),
        tuple(OurChoice(**row) for row in tables["decision"]),
        tuple(Unknown(row["id"], row["question"], tuple(row["ours"])) for row in tables["unknown"]),
    )
