"""The errors and their responses, from the tree of errors and the table of responses.

docs/errors.toml adds text for the page only: remedies of errors without a hint, notes, and which
texts beside Cloudflare's codes are our own.
"""

import re
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from originmap.api.envelope import Message
from originmap.api.errors import CORE, TABLE, V1_DELETE, VERIFY, Overrides, render
from originmap.domain import errors
from originmap.domain.access import errors as access_errors
from originmap.domain.errors import OriginmapError
from originmap.domain.hook import errors as hook_errors
from originmap.domain.mapping import own_region_errors
from scripts.reference.commands import commands
from scripts.reference.markdown import Inline, code, inline_of, table

NOTES = Path(__file__).parents[2] / "docs" / "errors.toml"

_GROUPS: dict[str, tuple[type[OriginmapError], ...]] = {
    "Invalid input": (
        errors.InvalidInput,
        own_region_errors.InvalidCatalogue,
        hook_errors.InvalidHook,
    ),
    "Credentials and rights": (access_errors.AccessError, errors.RateLimited),
    "State of the data": (
        errors.NotFound,
        errors.Conflict,
        errors.TieredCacheOff,
        own_region_errors.RegionStillMapped,
        hook_errors.HookError,
    ),
    "History, replicas and rollbacks": (OriginmapError,),
    "Database": (errors.StoreError,),
}
_ELSEWHERE: dict[str, Overrides] = {
    "on the routes of zones, accounts and users": CORE,
    "on the routes that verify a token": VERIFY,
    "on v1's DELETE": V1_DELETE,
}
_OURS = range(10400, 10600)

SAMPLES: list[OriginmapError] = [
    errors.InvalidAddress("TEXT"),
    errors.UnknownRegion("VENDOR", "REGION"),
    errors.InvalidPage("page", 100),
    errors.InvalidPage("per_page", 100),
    errors.InvalidTime("since"),
    errors.UnknownPermissionGroup("GROUP"),
    errors.InvalidTopology(["what is wrong with it"]),
    errors.InvalidLatencies(["what is wrong with them"]),
    own_region_errors.InvalidCatalogue(["what is wrong with them"]),
    errors.InvalidPools(["what is wrong with them"]),
    errors.InvalidQuery("what is wrong with it"),
    errors.InvalidExport("what is wrong with it"),
    access_errors.WrongLocation("ADDRESS"),
    access_errors.WrongColo(["SIN"], "FRA"),
    access_errors.WrongColo(["SIN"], ""),
    errors.RateLimited(1),
    errors.InvalidZoneName("NAME"),
    errors.InvalidToken("what is wrong with it"),
    errors.ZoneNotFound("ZONE"),
    errors.AccountNotFound("ACCOUNT"),
    errors.TokenNotFound("TOKEN"),
    errors.ZoneExists("NAME"),
    *(access_errors.MissingCredentials(which) for which in ("any", "key", "email")),
    *(access_errors.MalformedCredentials(which) for which in ("bearer", "key", "email")),
    own_region_errors.RegionStillMapped({("VENDOR", "REGION"): 1}),
    hook_errors.InvalidHook("what is wrong with it"),
    hook_errors.HookNotFound("NAME"),
    hook_errors.HookExists("NAME"),
    errors.RolloutConflict("why the step is refused"),
    errors.NotThePrimary("URL"),
    errors.StillFollowing("URL"),
    errors.HistoryGone(1),
    errors.PrimaryRefused(403, "TEXT"),
    errors.PrimaryMoved(301, "URL"),
    errors.PrimaryUntrusted("REASON", ""),
    errors.AnswerTooLarge(1),
    errors.StoreOwned("PATH"),
    errors.StoreUnusable("PATH", "REASON"),
]
"""Every form of the errors that carry data; the others are created without arguments."""


def tables() -> str:
    """A table for each group of errors."""
    notes = read_notes()
    inline = inline_of((name for name, _ in commands()), "errors.md")
    left = list(TABLE)
    found: dict[str, list[type[OriginmapError]]] = {}
    for title, bases in sorted(_GROUPS.items(), key=lambda item: OriginmapError in item[1]):
        found[title] = [kind for kind in left if issubclass(kind, bases)]
        left = [kind for kind in left if kind not in found[title]]
    heading = ("class", "status", "code", "text", "when", "what to do")
    return "\n".join(
        f"## {title}\n\n" + table(heading, [_row(kind, notes, inline) for kind in found[title]])
        for title in _GROUPS
    )


def read_notes() -> dict[str, dict[str, Any]]:
    """docs/errors.toml: by the name of a class `do`, `note` and `own_text`."""
    return tomllib.loads(NOTES.read_text("utf-8"))


def samples(kind: type[OriginmapError]) -> list[OriginmapError]:
    """An error of each form of a class."""
    return [error for error in SAMPLES if type(error) is kind] or [kind()]


def _row(
    kind: type[OriginmapError], notes: dict[str, dict[str, Any]], inline: Inline
) -> tuple[str, ...]:
    entry = notes.get(kind.__name__, {})
    made = samples(kind)
    first = render(made[0])
    codes = dict.fromkeys(str(line.code) for error in made for line in render(error).errors)
    lines = [line for error in made for line in render(error).errors]
    elsewhere = [
        f"{where} {answer.status} {_lines(answer.errors)}"
        for where, overrides in _ELSEWHERE.items()
        if kind in overrides
        for answer in (render(made[0], overrides),)
    ]
    when = " ".join(filter(None, (_first_sentence(kind), entry.get("note"))))
    return (
        code(kind.__name__),
        str(first.status),
        ", ".join(codes),
        "; ".join((_texts(lines, own=bool(entry.get("own_text"))), *elsewhere)),
        inline(when),
        inline(entry.get("do") or _sentence(made[0].hint)),
    )


def _texts(lines: Sequence[Message], *, own: bool) -> str:
    """The texts of responses; † marks our own text beside a code of Cloudflare's."""
    texts = dict.fromkeys(
        code(line.message) + " †" * (own and line.code not in _OURS) for line in lines
    )
    chain = _lines([inner for line in lines for inner in line.error_chain])
    return " or ".join(texts) + (f", in `error_chain` {chain}" if chain else "")


def _lines(messages: Iterable[Message]) -> str:
    return " or ".join(f"{line.code} {code(line.message)}" for line in messages)


def _first_sentence(kind: type[OriginmapError]) -> str:
    text = " ".join((kind.__doc__ or "").split())
    return re.split(r"(?<=\.) (?=[A-Z`])", text)[0]


def _sentence(hint: str) -> str:
    return f"{hint[:1].upper()}{hint[1:]}." if hint else ""
