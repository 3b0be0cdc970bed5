"""A request that arrives, or waits to be answered."""

from originmap.api.http.reader import Head
from originmap.api.http.request import Request


class Pending:
    """A request whose head has arrived; `complete` once its body has, too."""

    body: bytes | bytearray = b""
    complete = False
    admitted = False  # its body is wanted
    answered = False  # before its body had arrived

    def __init__(self, head: Head, request: Request) -> None:
        self.head = head
        self.request = request
        self.size = head.length  # of the body, as far as it is known
