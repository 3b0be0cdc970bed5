"""Takes passwords out of texts that are printed or logged.

The last line of defence: what quotes a URL or a connection string that somebody typed goes through
here before anybody sees it. It rather hides too much than too little.
"""

import re

# A host and its port look like a user and a password.
_PORT = r"(?=\S)(?!\d{1,5}(?:[/?#,\s'\")]|$))"
_LOGIN = re.compile(rf"(//[^\s:/?#@]*|\b(?:postgres(?:ql)?|mysql):[^\s:/?#@]+):{_PORT}[^\n]*@")
_MEMBER = re.compile(
    r"((?:password|passwd|pwd)\s*=\s*)('[^'\n]*'|\"[^\"\n]*\"|[^\s&;'\"]*)",
    re.IGNORECASE,
)


def hide_passwords(text: str) -> str:
    """`text` with *** in place of each password: between a user and "@", and behind `password=`."""
    return _MEMBER.sub(r"\1***", _LOGIN.sub(r"\1:***@", text))
