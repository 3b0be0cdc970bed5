"""A server for tests: `with originmap.testing.Server() as server:`, or the fixture `originmap`."""

from originmap.testing.control import ControlError
from originmap.testing.fidelity import Fidelity
from originmap.testing.recorded import RecordedRequest, RequestLog
from originmap.testing.server import Server

__all__ = ["ControlError", "Fidelity", "RecordedRequest", "RequestLog", "Server"]
