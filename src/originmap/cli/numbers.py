"""Numbers and texts that options take, each within the bounds of what it is for."""

import math
from typing import Any

import click

from originmap.domain.change import LAST_REVISION
from originmap.service.rollout_request import MOST_WHY

REVISION = click.IntRange(0, LAST_REVISION)
"""A revision, 0 for before the first."""


class Amount(click.FloatRange):
    """A number of a range. `nan`, which is in every range as click sees it, is refused, and so is
    `inf`."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The number. Raises click.BadParameter."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is not a number of seconds, days or the like.", param, ctx)
        return number


class Why(click.ParamType[str]):
    """A word for the others, as long as the server takes it."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text. Raises click.BadParameter."""
        text = str(value)
        if len(text) > MOST_WHY:
            self.fail(f"it has {len(text)} characters, {MOST_WHY} is the most", param, ctx)
        return text
