"""The response of a replica's `/readyz` to each credential."""

from originmap import bootstrap
from originmap.service import initial_data
from originmap.service.feed.replication import Replication
from originmap.store.clock import wall_clock
from tests.api.application import BEARER, client_of

READYZ = "http://testserver/readyz"
PRIMARY = "http://10.9.8.7:8787"


async def test_only_operators_get_the_address_of_the_primary() -> None:
    copy = Replication(PRIMARY, wall_clock)
    async with (
        bootstrap.open_store(bootstrap.MEMORY, initial_data.prepare_dev) as opened,
        client_of(opened._replace(replication=copy)) as client,
    ):
        copy.failed("ConnectError: no route to 10.9.8.7")
        for headers in ({}, BEARER, {"Authorization": "Bearer wrong"}):
            answer = await client.get(READYZ, headers=headers)
            assert answer.status_code == 503
            assert "10.9.8.7" not in answer.text
        copy.restored(wall_clock())
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic x"}):
            answer = await client.get(READYZ, headers=headers)
            assert answer.status_code == 200
            assert "10.9.8.7" not in answer.text
            assert set(answer.json()["result"]["replica"]) == {"connected", "age_seconds"}
        found = (await client.get(READYZ, headers=BEARER)).json()["result"]["replica"]
        assert (found["primary"], found["error"]) == (PRIMARY, copy.error)
