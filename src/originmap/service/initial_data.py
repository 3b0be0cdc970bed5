"""Initial data of a new database, and the well-known credentials of `originmap dev`."""

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
"""Email address of the user of a production server; the domain is reserved (RFC 2606)."""

# Cloudflare's reference uses these values in its examples, so each example works as printed.
DEV_ID = "023e105f4ecef8ad9ca31a8372d0c353"
DEV_ZONE = "example.com"
DEV_TOKEN = "Sn3lZJTBX6kkg7OdcBUAxOO963GEIyGQqnFTOFYY"  # noqa: S105 (public by design)
DEV_EMAIL = "user@example.com"
DEV_KEY = "144c9defac04969c7bfad8efaa8ea194"


async def prepare_to_administer(
    store: Store, directory: Directory, now: Now, database: str
) -> None:
    """Create the account of a new database, and the user that owns the operator's tokens. On a
    replica, which is read-only, nothing is created."""
    if store.is_replica:
        store.refuse_writes(NotThePrimary("the server it was copied from"))
        return
    records: list[tuple[Kind, Value]] = [
        (Kind.ACCOUNT, Account(new_id(), "Originmap", now())),
        (Kind.USER, User(new_id(), OPERATOR_EMAIL, "", now())),
    ]
    # Several processes may start on a new database at once, so the rule decides in the transaction.
    await store.write_records(add_first(records), SETUP)


async def prepare_to_serve(store: Store, directory: Directory, now: Now, database: str) -> None:
    """Prepare a database for production. Raises StoreUnusable for a replica, and for a database of
    `originmap dev`, whose credentials are public."""
    if store.is_replica:
        raise StoreUnusable(
            database,
            "it is a replica",
            "follow its primary with --follow, or promote it to primary: originmap promote",
        )
    if directory.user_with_email(DEV_EMAIL) or directory.token_caller(hash_secret(DEV_TOKEN)):
        raise StoreUnusable(
            database,
            "it has the well-known credentials of originmap dev",
            "choose another --db, or start this database with originmap dev",
        )
    await prepare_to_administer(store, directory, now, database)


async def prepare_replica(
    primary: str, store: Store, directory: Directory, now: Now, database: str
) -> None:
    """Accept writes only from the feed of `primary`. Raises StoreUnusable for a database that is
    neither empty nor a replica: following would overwrite it."""
    if store.revision and not store.is_replica:
        raise StoreUnusable(
            database,
            "it is not a replica, and following a primary would overwrite it",
            "choose a new file for --db",
        )
    store.refuse_writes(NotThePrimary(primary))


async def prepare_dev(store: Store, directory: Directory, now: Now, database: str) -> None:
    """Create the account, zone, user and token of the reference's examples.

    Raises StoreUnusable for a production database, which must not get them.
    """
    if any(account.id != DEV_ID for account in directory.accounts()):
        raise StoreUnusable(
            database,
            "it is in production, and originmap dev would add well-known credentials to it",
            "choose another --db, or start this database with originmap serve",
        )
    at = now()
    policies, owner = (everything_of(DEV_ID),), Owner("user", DEV_ID)
    token = Token(DEV_ID, "dev", hash_secret(DEV_TOKEN), policies, owner, at, at)
    records: list[tuple[Kind, Value]] = [
        (Kind.ACCOUNT, Account(DEV_ID, "Example", at)),
        (Kind.USER, User(DEV_ID, DEV_EMAIL, hash_secret(DEV_KEY), at)),
        (Kind.ZONE, Zone(DEV_ID, DEV_ZONE, DEV_ID, at, at)),
        (Kind.TOKEN, token),
    ]
    await store.write_records(add_missing(records), SETUP)
