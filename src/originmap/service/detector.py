"""What the vendors' published ranges say of addresses: detection with the newest table there is."""

from originmap.domain import detection
from originmap.domain.address import Address
from originmap.domain.catalogue import Catalogue
from originmap.domain.detection import Detection
from originmap.domain.mapping import Place
from originmap.domain.ranges import RangeTable


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
