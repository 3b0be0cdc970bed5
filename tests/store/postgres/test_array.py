"""The text form of arrays, parsed by a real server."""

import asyncpg
import pytest

from originmap.store.postgres.array import of_bytes, of_numbers, of_texts
from tests.postgres import Cluster

HARD = ["", " ", "NULL", "null", "{}", ",", '"', '""', "\\", '\\"', "a\\", "{a,b}", "\n", "é☃", "'"]


@pytest.mark.parametrize(
    "texts",
    [
        [],
        ["one"],
        ["aws/us-east-1", "gcp/europe-west1"],
        HARD,
        [None, *HARD],
        [None],
        *[[t] for t in HARD],
    ],
)
async def test_texts_are_read_unchanged(cluster: Cluster, texts: list[str | None]) -> None:
    assert await _read(cluster, "text[]", of_texts(texts)) == texts


@pytest.mark.parametrize("numbers", [[], [0], [1, -1, 2**63 - 1, -(2**63)]])
async def test_numbers_are_read_unchanged(cluster: Cluster, numbers: list[int]) -> None:
    assert await _read(cluster, "bigint[]", of_numbers(numbers)) == numbers


@pytest.mark.parametrize("values", [[], [b""], [b"\x04\xc0\x00\x02\x01", bytes(range(256))]])
async def test_bytes_are_read_unchanged(cluster: Cluster, values: list[bytes]) -> None:
    assert await _read(cluster, "bytea[]", of_bytes(values)) == values


async def _read(cluster: Cluster, kind: str, array: str) -> object:
    connection = await asyncpg.connect(cluster.url("postgres"))
    try:
        return await connection.fetchval(f"SELECT $1::text::{kind}", array)
    finally:
        await connection.close()
