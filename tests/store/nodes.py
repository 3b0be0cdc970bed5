"""Writes to the nodes of a PostgreSQL database."""

from originmap.domain.history.change import Committed
from originmap.domain.mapping import mapping
from originmap.domain.mapping.mapping import Mapping
from originmap.store.port import Store
from tests.builders import CAUSE, US_EAST, ZONE_ID, ip

END_CONNECTIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = 'originmap' AND datname = """
"""Ends the connections to a database; append its name in quotes."""


async def put(store: Store, text: str, place: mapping.Place = US_EAST) -> Mapping:
    done = await store.write(ZONE_ID, (ip(text),), mapping.put(ip(text), place), CAUSE)
    return done.outcome or Mapping(ip(text), place, done.at, done.revision)


async def delete(store: Store, text: str) -> Committed[Mapping]:
    return await store.write(ZONE_ID, (ip(text),), mapping.delete(ip(text)), CAUSE)
