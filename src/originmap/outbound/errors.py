"""Errors in the environment variables of outbound requests.

These are HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY for proxies, and SSL_CERT_FILE,
SSL_CERT_DIR and SSLKEYLOGFILE for TLS.
"""

from originmap.domain.errors import OriginmapError


class UnusableEnvironment(OriginmapError):
    """An environment variable for outbound requests has a value that cannot be used."""

    page = "settings.md#environment-variables"

    def __init__(self, variable: str, problem: str, hint: str) -> None:
        super().__init__(f"{variable}: {problem}")
        self.variable = variable
        self.hint = hint
