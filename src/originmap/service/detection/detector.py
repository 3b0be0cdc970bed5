"""What the vendors' published ranges say of addresses: detection with the newest table there is."""

from originmap.domain.detection import detection
from originmap.domain.detection.detection import Detection
from originmap.domain.detection.ranges import RangeTable
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.catalogue import Catalogue
from originmap.domain.mapping.mapping import Place


class Detector:
    """Holds the table that is asked; replacing it is one assignment, so that every answer is
    from one table or the other."""

    def __init__(self, catalogue: Catalogue, table: RangeTable) -> None:
        self._catalogue = catalogue
        self._table = table

    @property
    def table(self) -> RangeTable:
        """The table that is asked now."""
        return self._table

    def replace(self, table: RangeTable) -> None:
        """Ask another table from now on."""
        self._table = table

    def detect(self, address: Address, claim: Place | None = None) -> Detection:
        """What is published of an address, and whether it agrees with a claim."""
        return detection.detect(self._table, self._catalogue, address, claim)
