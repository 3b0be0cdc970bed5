"""What a new database starts with, and the well-known credentials of `originmap dev`."""

from originmap.domain.access.permissions import everything_of
from originmap.domain.access.token import Owner, Token, hash_secret
from originmap.domain.errors import NotThePrimary, StoreUnusable
from originmap.domain.history.change import Cause
from originmap.domain.history.record import Kind, Value
from originmap.domain.zone.rules import add_first, add_missing
from originmap.domain.zone.zone import Account, User, Zone
from originmap.service.access.directory import Directory
from originmap.service.access.secret import new_id
from originmap.store.clock import Now
from originmap.store.port import Store

SETUP = Cause("setup", "", "")
OPERATOR_EMAIL = "operator@originmap.invalid"
"""The user of a server for real use; the name cannot be anybody's address (RFC 2606)."""

# The values that Cloudflare's own reference uses in its examples, so that each of them runs.
DEV_ID = "023e105f4ecef8ad9ca31a8372d0c353"
DEV_ZONE = "example.com"
DEV_TOKEN = "Sn3lZJTBX6kkg7OdcBUAxOO963GEIyGQqnFTOFYY"  # noqa: S105 (public by design)
DEV_EMAIL = "user@example.com"
DEV_KEY = "144c9defac04969c7bfad8efaa8ea194"


async def prepare_to_administer(
    store: Store, directory: Directory, now: Now, database: str
) -> None:
    """Give a new database its account, and the user whose tokens the operator makes; nothing to
    a replica, which can only be read."""
    if store.is_replica:
        store.refuse_writes(NotThePrimary("which it was copied from"))
        return
    wanted: list[tuple[Kind, Value]] = [
        (Kind.ACCOUNT, Account(new_id(), "Originmap", now())),
        (Kind.USER, User(new_id(), OPERATOR_EMAIL, "", now())),
    ]
    # Several processes may start on a new database at once: the rule decides, not the directory.
    await store.write_records(add_first(wanted), SETUP)


async def prepare_to_serve(store: Store, directory: Directory, now: Now, database: str) -> None:
    """As `prepare_to_administer`. Raises StoreUnusable for a replica, and for a database that
    `originmap dev` made: its credentials are known to everybody."""
    if store.is_replica:
        raise StoreUnusable(
            database,
            "it is a replica",
            "give --follow its primary, or make it a database of its own: originmap promote",
        )
    if directory.user_with_email(DEV_EMAIL) or directory.token_caller(hash_secret(DEV_TOKEN)):
        raise StoreUnusable(
            database,
            "it holds the well-known credentials of originmap dev",
            "serve another --db, or start this one with originmap dev",
        )
    await prepare_to_administer(store, directory, now, database)


async def prepare_replica(
    primary: str, store: Store, directory: Directory, now: Now, database: str
) -> None:
    """Let only the feed of `primary` write. Raises StoreUnusable for a database that is not
    empty and no replica: following would replace it."""
    if store.revision and not store.is_replica:
        raise StoreUnusable(
            database,
            "it is a database of its own, which following another would replace",
            "give --db a file that is not there yet",
        )
    store.refuse_writes(NotThePrimary(primary))


async def prepare_dev(store: Store, directory: Directory, now: Now, database: str) -> None:
    """Give a database the account, zone, user and token of the reference's examples.

    Raises StoreUnusable for a database in real use, which must not get them.
    """
    if any(account.id != DEV_ID for account in directory.accounts()):
        raise StoreUnusable(
            database,
            "it is in real use, and originmap dev would add well-known credentials to it",
            "give originmap dev another --db, or start this one with originmap serve",
        )
    at = now()
    policies, owner = (everything_of(DEV_ID),), Owner("user", DEV_ID)
    token = Token(DEV_ID, "dev", hash_secret(DEV_TOKEN), policies, owner, at, at)
    wanted: list[tuple[Kind, Value]] = [
        (Kind.ACCOUNT, Account(DEV_ID, "Example", at)),
        (Kind.USER, User(DEV_ID, DEV_EMAIL, hash_secret(DEV_KEY), at)),
        (Kind.ZONE, Zone(DEV_ID, DEV_ZONE, DEV_ID, at, at)),
        (Kind.TOKEN, token),
    ]
    await store.write_records(add_missing(wanted), SETUP)
