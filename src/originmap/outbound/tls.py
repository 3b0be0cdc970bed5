"""Trusted certificates, and explanations of TLS errors.

SSL_CERT_FILE, a file of CA certificates in PEM form, or SSL_CERT_DIR, a folder prepared by
OpenSSL's `rehash`, replaces the default certificates. Both are read only if a connection uses TLS.
"""

import os
import ssl
from collections.abc import Callable, Mapping

from originmap.outbound.errors import UnusableEnvironment

_EXPIRED, _NOT_YET_VALID = 10, 9
_OTHER_HOST = (62, 64)
"""What OpenSSL calls X509_V_ERR_CERT_HAS_EXPIRED, _CERT_NOT_YET_VALID, _HOSTNAME_MISMATCH and
_IP_ADDRESS_MISMATCH."""


def tls_context(
    environment: Mapping[str, str], default: Callable[[], ssl.SSLContext]
) -> ssl.SSLContext:
    """A context with the certificates that the environment names; without any, the context of
    `default`. Raises UnusableEnvironment."""
    file = environment.get("SSL_CERT_FILE", "").strip()
    folders = environment.get("SSL_CERT_DIR", "").strip()
    if not file and not folders:
        try:
            return default()
        except OSError as error:  # SSLKEYLOGFILE is the only file of it that users choose
            raise _cannot_log_keys(environment, error) from error
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if key_log := environment.get("SSLKEYLOGFILE", ""):
        try:
            context.keylog_filename = key_log
        except OSError as error:
            raise _cannot_log_keys(environment, error) from error
    _trust(context, file, folders)
    return context


def unused_context() -> ssl.SSLContext:
    """A context for connections without TLS: it trusts no certificate and reads no file."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def tls_error(error: BaseException) -> ssl.SSLError | None:
    """The TLS error that caused the exception of a request, if retrying does not help."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError) and not isinstance(
            cause, ssl.SSLEOFError | ssl.SSLZeroReturnError
        ):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None


def tls_reason(error: ssl.SSLError) -> str:
    """A short reason for the error message."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    return f"TLS failed: {error.reason or error}"


def tls_hint(error: ssl.SSLError) -> str:
    """The hint for the error message."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        return "if the server does not use TLS on this port, use http://"
    if error.verify_code in _OTHER_HOST:
        return "use the hostname in the certificate, or install another certificate on the server"
    if error.verify_code in (_EXPIRED, _NOT_YET_VALID):
        return "renew the server's certificate, or correct the clock of this machine"
    return (
        "if a private CA signed it, set SSL_CERT_FILE to a file with the certificate of that CA,"
        " in PEM form"
    )


def _trust(context: ssl.SSLContext, file: str, folders: str) -> None:
    if file:
        _check_readable("SSL_CERT_FILE", file)
    for folder in folders.split(os.pathsep) if folders and not file else ():
        if not os.path.isdir(folder):
            raise _unusable("SSL_CERT_DIR", folder, "no such folder")
    try:
        context.load_verify_locations(file or None, folders or None)
    except OSError as error:
        variable, value = ("SSL_CERT_FILE", file) if file else ("SSL_CERT_DIR", folders)
        raise _unusable(variable, value, "it has no certificate in PEM form") from error


def _check_readable(variable: str, file: str) -> None:
    try:
        with open(file, "rb"):
            pass
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise _unusable(variable, file, reason) from error


def _unusable(variable: str, value: str, reason: str) -> UnusableEnvironment:
    kind = "a file" if variable == "SSL_CERT_FILE" else "a folder"
    return UnusableEnvironment(
        variable,
        f"{value}: {reason}",
        f"set {variable} to {kind} of CA certificates in PEM form, or unset it",
    )


def _cannot_log_keys(environment: Mapping[str, str], error: OSError) -> UnusableEnvironment:
    file = environment.get("SSLKEYLOGFILE", "")
    if not file:
        return UnusableEnvironment(
            "OPENSSL_CONF", f"TLS cannot be used: {error}", "check the configuration of OpenSSL"
        )
    return UnusableEnvironment(
        "SSLKEYLOGFILE",
        f"{file}: {error.strerror or error}",
        "set SSLKEYLOGFILE to a file that can be written, or unset it",
    )
