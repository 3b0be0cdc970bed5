"""A private CA, a server certificate, and one for a client, made by openssl."""

import shutil
import subprocess
from pathlib import Path

import pytest


def made(folder: Path, *names: str) -> None:
    """Make ca.pem, and NAME.pem and NAME.key for each name; skip without openssl."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    _run(folder, "req", "-x509", "-subj", "/CN=ca", "-keyout", "ca.key", "-out", "ca.pem")
    for name in names:
        extra = ["-addext", f"subjectAltName=DNS:{name}"]
        _run(folder, "req", "-x509", "-subj", f"/CN={name}", "-keyout", f"{name}.key",
             "-CA", "ca.pem", "-CAkey", "ca.key", "-out", f"{name}.pem", *extra)  # fmt: skip


def _run(folder: Path, *args: str) -> None:
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    subprocess.run(["openssl", *args, *key], cwd=folder, check=True, capture_output=True)
