"""Runs the guides, and updates the output of commands in them.

Output changes over time; `make guides` updates the guides. Review the difference before you commit
it: `…` in a guide matches any output, and is replaced if the rest no longer matches.
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
