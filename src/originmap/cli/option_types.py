"""Types of options: numbers and texts, each within the bounds of what it is for."""

import click

from originmap.domain import number
from originmap.domain.history.change import LAST_REVISION
from originmap.service.rollout.steps import MOST_WHY


class Whole(click.IntRange):
    """A whole number from `least` to `most`, as `domain.number` reads it; click shows the range."""

    def __init__(self, least: int, most: int) -> None:
        super().__init__(least, most)
        self._bounds = least, most

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """The number. Raises click.BadParameter."""
        found = number.whole(str(value), *self._bounds)
        if found is None:
            least, most = self._bounds
            shown = number.shown(str(value))
            self.fail(f"{shown} is not a whole number from {least} to {most}", param, ctx)
        return found


class Amount(click.FloatRange):
    """A number from `least` to `most`, as in 5 or 0.25."""

    def __init__(self, least: float, most: float) -> None:
        super().__init__(least, most)
        self._bounds = least, most

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The number. Raises click.BadParameter."""
        found = number.decimal(str(value), *self._bounds)
        if found is None:
            least, most = self._bounds
            shown = number.shown(str(value))
            self.fail(f"{shown} is not a number from {least:g} to {most:g}", param, ctx)
        return found


class Degrees(click.FloatRange):
    """A latitude or longitude in decimal degrees, from `-most` to `most`."""

    def __init__(self, most: float) -> None:
        super().__init__(-most, most)
        self._most = most

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The degrees. Raises click.BadParameter."""
        text = str(value)
        found = number.decimal(text.removeprefix("-"), 0, self._most)
        if found is None:
            shown = number.shown(text)
            self.fail(f"{shown} is not a number from -{self._most:g} to {self._most:g}", param, ctx)
        return -found if text.startswith("-") else found


REVISION = Whole(0, LAST_REVISION)
"""A revision, 0 for before the first."""


class Why(click.ParamType[str]):
    """A word for the others, as long as the server takes it."""

    name = "text"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """The text. Raises click.BadParameter."""
        text = str(value)
        if len(text) > MOST_WHY:
            self.fail(f"it has {len(text)} characters, {MOST_WHY} is the most", param, ctx)
        return text
