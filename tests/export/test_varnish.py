"""VCL has what is in use."""

import re

from originmap.export.format import written
from originmap.export.formats import format_called
from originmap.export.node import ZonePart
from tests.export.samples import FRANKFURT, VIRGINIA, ZONES, Node, node, stored

(VCL,) = format_called("varnish").files
EXAMPLE, OFF, *_ = ZONES


def backends(of: Node, *parts: ZonePart) -> list[str]:
    made = b"".join(written(VCL.writer(of), parts)).decode()
    return re.findall(r"^backend originmap_b_(\w+) {$", made, re.MULTILINE)


def test_there_are_the_backends_that_a_mapping_or_a_zone_needs() -> None:
    of = node("FRA")  # which asks the origin itself where no mapping says otherwise
    assert backends(of, of.part(EXAMPLE, stored({"192.0.2.1": VIRGINIA}))) == ["iad"]
    of = node("SIN")
    assert backends(of, of.part(EXAMPLE, stored({"192.0.2.1": FRANKFURT}))) == ["fra", "iad", "nrt"]


def test_backends_are_kept_if_every_origin_is_filled_directly() -> None:
    of = node("SIN")
    assert backends(of) == ["fra", "iad"]
    assert backends(of, of.part(OFF, stored({"192.0.2.1": VIRGINIA}))) == ["fra", "iad"]
