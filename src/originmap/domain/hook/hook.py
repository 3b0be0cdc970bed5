"""Webhooks: which changes are sent to which URL, and how far the delivery has come.

A hook is three records with the same ID, its name: the hook itself, which an operator creates; its
position, which the delivering process writes; and its dead letters, if there are any.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from originmap.domain.hook.errors import InvalidHook
from originmap.domain.hook.signature import signing_key
from originmap.domain.server_url import InvalidServerURL, parse

KINDS = (
    "mapping",
    "zone",
    "topology",
    "latencies",
    "catalogue",
    "rollout",
    "drift",
    "ranges",
)
"""The kinds of change that a hook can send, as in the feed. Accounts, users and tokens are not
among them, because they have hashes of secrets."""

MAX_HOOKS = 50
MAX_LETTERS = 1_000
"""The dead letters that a hook keeps; the oldest are dropped."""
LONGEST_URL = 2_000
LONGEST_PROBLEM = 200
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook: changes of the kinds `on` after revision `since` go to `url`, signed with
    `secret`. Times are in microseconds since 1970 UTC."""

    name: str
    url: str
    on: tuple[str, ...]
    secret: str = field(repr=False)
    since: int
    created_on: int

    @property
    def id(self) -> str:
        """The name."""
        return self.name


@dataclass(frozen=True, slots=True)
class HookPosition:
    """Everything up to `revision` is delivered or dead.

    `attempts` have failed for the next change, the last one because of `problem`; the receiver has
    been failing since `failing_since`, and the next attempt is at `retry_at`. If several processes
    share the database, the process `holder` delivers, until `held_until`. Times are in microseconds
    since 1970 UTC, 0 for none.
    """

    name: str
    revision: int
    attempts: int = 0
    failing_since: int = 0
    retry_at: int = 0
    problem: str = ""
    holder: str = ""
    held_until: int = 0

    @property
    def id(self) -> str:
        """The name of the hook."""
        return self.name

    def held_by_other(self, holder: str, now: int) -> bool:
        """Whether another process than `holder` delivers. "" is the only process of a database, so
        no other one does."""
        return bool(holder) and self.holder not in ("", holder) and self.held_until > now


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A change that was not delivered. With `retry`, it is about to be sent again. The change
    itself is in the history."""

    revision: int
    died_on: int  # microseconds since 1970 UTC
    problem: str
    retry: bool = False


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """The dead letters of a hook, oldest first, and how many were dropped for MAX_LETTERS."""

    name: str
    letters: tuple[DeadLetter, ...] = ()
    dropped: int = 0

    @property
    def id(self) -> str:
        """The name of the hook."""
        return self.name


def check_hook(hook: Hook, *, private: bool) -> None:
    """Check a new hook. A URL with http is accepted only with `private`, for receivers in a private
    network. Raises InvalidHook."""
    if not _NAME.fullmatch(hook.name):
        raise InvalidHook(f"name: {hook.name!r} is not 1 to 63 of a-z, 0-9 and hyphens")
    check_url(hook.url, private=private)
    unknown = [kind for kind in hook.on if kind not in KINDS]
    if unknown or not hook.on:
        found = repr(unknown[0]) if unknown else "nothing"
        raise InvalidHook(f"on: {found} is not a kind of change; known are: {', '.join(KINDS)}")
    signing_key(hook.secret)


def check_url(url: str, *, private: bool) -> None:
    """Check the URL of a receiver; a query is allowed. Raises InvalidHook, without the query."""
    before, _, query = url.partition("?")
    if len(url) > LONGEST_URL:
        raise InvalidHook(f"url: it has {len(url)} characters; the limit is {LONGEST_URL}")
    try:
        scheme = parse(before).scheme
    except InvalidServerURL as error:
        raise InvalidHook(f"url: {error}") from None
    if (
        url != url.strip()
        or not query.isprintable()
        or not query.isascii()
        or set(' #"<>') & {*query}
    ):
        raise InvalidHook("url: its query has a character that must be encoded as %XX")
    if scheme != "https" and not private:
        raise InvalidHook("url: it must start with https://, unless private receivers are allowed")


def shown_url(url: str) -> str:
    """The scheme, host and port of a receiver's URL, for those that may not know the rest: in the
    URLs of some services, path or query are a secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/"


def kinds_of(on: Sequence[str]) -> tuple[str, ...]:
    """The kinds in the order of KINDS, each once; unknown ones are last."""
    known = tuple(kind for kind in KINDS if kind in on)
    return known + tuple(kind for kind in dict.fromkeys(on) if kind not in KINDS)
