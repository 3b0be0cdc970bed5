"""The short form of `make chaos-nats`."""

import random
from pathlib import Path

from tests.jetstream.chaos import run


def test_thirty_kills_lose_and_repeat_nothing(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    assert "nothing missing" in run(30, tmp_path, seed)
