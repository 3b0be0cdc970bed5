"""Redaction of passwords in texts that are printed or logged.

The last line of defence: every text that quotes a URL or a connection string passes through here
before it is printed. If in doubt, it hides too much.
"""

import re

# A host with a port looks like a user with a password.
_PORT = r"(?=\S)(?!\d{1,5}(?:[/?#,\s'\")]|$))"
_LOGIN = re.compile(
    rf"(//[^\s:/?#@]*|\b(?:postgres(?:ql)?|mysql):[^\s:/?#@]+):{_PORT}[^\n]*(?:@|%40)"
)
_MEMBER = re.compile(
    r"((?:password|passwd|pwd)\s*=\s*)('[^'\n]*'|\"[^\"\n]*\"|[^\s&;'\"]*?(?=:?(?:[\s&;'\"]|$)))",
    re.IGNORECASE,
)


def hide_passwords(text: str) -> str:
    """Replace each password in `text` by ***: between a user and "@" or its
    encoded form, and after `password=`."""
    return _MEMBER.sub(r"\1***", _LOGIN.sub(r"\1:***@", text))
