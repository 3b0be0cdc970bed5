"""Tokens as the operator sees them."""

from originmap.domain.access import ZONE_PREFIX, Group, group_id
from originmap.domain.token_rules import create_token
from originmap.service.directory import Directory
from originmap.service.operate.tokens import ListTokens, OperateTokens
from originmap.store.clock import wall_clock
from originmap.store.memory import MemoryStore
from tests.builders import CAUSE, ZONE_ID, new_zone, policy, token

READ, WRITE = group_id(Group.ZONE_SETTINGS_READ), group_id(Group.ZONE_SETTINGS_WRITE)


async def test_what_a_token_is_denied_is_none_of_its_zones() -> None:
    store, directory = MemoryStore(), Directory()
    store.follow_records(directory.apply)
    await store.write_records(new_zone(), CAUSE)
    allowed = policy(True, [ZONE_PREFIX + ZONE_ID], [READ])
    denied = policy(False, [ZONE_PREFIX + "a" * 32], [WRITE])
    await store.write_records(create_token(token("t", allowed, denied)), CAUSE)
    operate = OperateTokens(store, directory, wall_clock)
    (view,) = await operate.handlers[ListTokens](ListTokens())
    assert (view.zones, view.access) == ([ZONE_ID], "read")
