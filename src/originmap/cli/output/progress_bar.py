"""A progress bar on stderr, for work of known length; nothing if stderr is no terminal."""

import sys
from typing import Self

import click


class ProgressBar:
    """A context manager; without `wanted` it shows nothing."""

    def __init__(self, label: str, total: int, *, wanted: bool = True) -> None:
        hidden = not (wanted and sys.stderr.isatty())
        self._bar = click.progressbar(
            length=max(total, 1), label=label, file=sys.stderr, show_pos=True, hidden=hidden
        )

    def step(self, count: int) -> None:
        """Move on by `count`."""
        self._bar.update(count)

    def __enter__(self) -> Self:
        self._bar.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.__exit__(None, None, None)
