"""Detection of an address's region from the newest table of the vendors' published ranges."""

from originmap.domain.detection import detection
from originmap.domain.detection.detection import Detection
from originmap.domain.detection.ranges import RangeTable
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.catalogue import CatalogueSource
from originmap.domain.mapping.mapping import Place


class Detector:
    """Holds the current table. Replacing it is one assignment, so that every answer comes from one
    table."""

    def __init__(self, catalogue: CatalogueSource, table: RangeTable) -> None:
        self._catalogue = catalogue
        self._table = table

    @property
    def table(self) -> RangeTable:
        """The current table."""
        return self._table

    def replace(self, table: RangeTable) -> None:
        """Use another table from now on."""
        self._table = table

    def detect(self, address: Address, claim: Place | None = None) -> Detection:
        """Return the published ranges of an address, and whether they agree with a claim."""
        return detection.detect(self._table, self._catalogue(), address, claim)
