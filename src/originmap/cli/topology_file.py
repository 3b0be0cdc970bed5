"""A topology in a file, in the form that `originmap topology show --json` prints."""

from pathlib import Path

import msgspec

from originmap.domain.encoding import NotText, decode
from originmap.domain.errors import InvalidTopology
from originmap.domain.tier.topology import Topology
from originmap.mapfile.json_events import json_problem
from originmap.service.tier.topology_json import TopologyJSON, topology_of


def read_topology(file: Path) -> Topology:
    """The topology in a file; the server checks whether it is consistent. Raises
    InvalidTopology if the file does not have that form."""
    try:
        text = decode(file.read_bytes())
    except OSError as error:
        raise InvalidTopology([f"{file}: {error.strerror}"]) from None
    except NotText as error:
        raise InvalidTopology([f"{file}: {error}"]) from None
    try:
        return topology_of(msgspec.json.decode(text, type=TopologyJSON))
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidTopology([json_problem(str(file), text, error)]) from None
