"""The VCL contains only backends in use."""

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


def test_only_backends_in_use_are_written() -> None:
    of = node("FRA")  # which fills unmapped origins directly
    assert backends(of, of.part(EXAMPLE, stored({"192.0.2.1": VIRGINIA}))) == ["iad"]
    of = node("SIN")
    assert backends(of, of.part(EXAMPLE, stored({"192.0.2.1": FRANKFURT}))) == ["fra", "iad", "nrt"]


def test_the_probe_is_used_even_if_every_origin_is_direct() -> None:
    of = node("SIN")
    assert backends(of) == ["fra", "iad"]
    assert backends(of, of.part(OFF, stored({"192.0.2.1": VIRGINIA}))) == ["fra", "iad"]
