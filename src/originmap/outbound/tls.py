"""Which certificates are trusted, and what a refused certificate means.

SSL_CERT_FILE, a file of CA certificates in PEM form, or SSL_CERT_DIR, a folder that OpenSSL's
`rehash` prepared, replace the default ones. They are read only for a connection that uses TLS.
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
    """A context that trusts what the environment names, else what `default` trusts. Raises
    UnusableEnvironment."""
    file = environment.get("SSL_CERT_FILE", "").strip()
    folders = environment.get("SSL_CERT_DIR", "").strip()
    if not file and not folders:
        try:
            return default()
        except OSError as error:  # the variable is the only file there that users choose
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
    """A context for connections without TLS: it trusts nobody, and reads no file."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def tls_error(error: BaseException) -> ssl.SSLError | None:
    """The TLS error behind the error of a request, if it will not go away by itself."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError) and not isinstance(
            cause, ssl.SSLEOFError | ssl.SSLZeroReturnError
        ):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None


def tls_reason(error: ssl.SSLError) -> str:
    """What is wrong, in a few words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    return f"TLS failed: {error.reason or error}"


def tls_hint(error: ssl.SSLError) -> str:
    """What a person can do about it."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        return "does the server speak https on this port? If not, use http://"
    if error.verify_code in _OTHER_HOST:
        return "use the name that the certificate is for, or give the server another certificate"
    if error.verify_code in (_EXPIRED, _NOT_YET_VALID):
        return "renew the certificate of the server, or set the clock of this machine"
    return (
        "if a private CA signed it, set SSL_CERT_FILE to a file with the certificate of that CA,"
        " in PEM form"
    )


def _trust(context: ssl.SSLContext, file: str, folders: str) -> None:
    if file:
        _check_readable("SSL_CERT_FILE", file)
    for folder in folders.split(os.pathsep) if folders and not file else ():
        if not os.path.isdir(folder):
            raise _unusable("SSL_CERT_DIR", folder, "there is no such folder")
    try:
        context.load_verify_locations(file or None, folders or None)
    except OSError as error:
        variable, value = ("SSL_CERT_FILE", file) if file else ("SSL_CERT_DIR", folders)
        raise _unusable(variable, value, "no certificate in PEM form is in it") from error


def _check_readable(variable: str, file: str) -> None:
    try:
        with open(file, "rb"):
            pass
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise _unusable(variable, file, reason) from error


def _unusable(variable: str, value: str, reason: str) -> UnusableEnvironment:
    what = "a file of CA certificates" if variable == "SSL_CERT_FILE" else "a folder of them"
    return UnusableEnvironment(
        variable, f"{value}: {reason}", f"set {variable} to {what} in PEM form, or unset it"
    )


def _cannot_log_keys(environment: Mapping[str, str], error: OSError) -> UnusableEnvironment:
    where = environment.get("SSLKEYLOGFILE", "")
    if not where:
        return UnusableEnvironment(
            "OPENSSL_CONF", f"TLS cannot be used: {error}", "check the configuration of OpenSSL"
        )
    return UnusableEnvironment(
        "SSLKEYLOGFILE",
        f"{where}: {error.strerror or error}",
        "set SSLKEYLOGFILE to a file that can be written, or unset it",
    )
