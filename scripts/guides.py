"""Runs the guides, and writes into them what their commands print now.

Texts of commands change; `make guides` brings the guides up to date. Look at the difference
before you commit it: `…` in a guide stands for any output, and is replaced if it no longer fits.
"""

import sys
import tempfile
from pathlib import Path

from tests.real import console, test_guides


def main() -> None:
    """Update the guides named on the command line, or all."""
    guides = [Path(name) for name in sys.argv[1:]] or test_guides.GUIDES
    for guide in guides:
        with tempfile.TemporaryDirectory() as folder:
            console.rewrite(guide, test_guides.run(guide, folder=Path(folder)))


if __name__ == "__main__":
    main()
