"""What can be wrong with the environment in which other servers are asked."""

from originmap.domain.errors import OriginmapError


class UnusableEnvironment(OriginmapError):
    """A variable of the environment that concerns a request and cannot be used."""

    def __init__(self, variable: str, problem: str, hint: str) -> None:
        super().__init__(f"{variable}: {problem}")
        self.variable = variable
        self.hint = hint
