"""Exports leave no reference cycles, because a server collects garbage rarely."""

import gc

import pytest

from originmap.domain.tier.topology import Colo
from originmap.export.format import File
from originmap.export.formats import FORMATS
from tests.export.samples import COLOS, SHARED, export, node

FILES = [file for known in FORMATS for file in known.files]


@pytest.mark.parametrize("colos", [COLOS, SHARED], ids=["colos", "caches"])
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_an_export_leaves_no_cycle(file: File, colos: tuple[Colo, ...]) -> None:
    of = node(colos=colos)
    export(file, of)
    gc.collect()
    gc.disable()
    try:
        for _ in range(5):
            export(file, of)
        assert gc.collect() == 0
    finally:
        gc.enable()
