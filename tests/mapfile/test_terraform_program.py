"""Terraform itself reads the exports, if it is installed: no package index has it.

Its plan has the resource type of Terraform's own provider instead of Cloudflare's, which would have
to be downloaded from a registry.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.mapfile.test_exports import EXPORTS, ID, ZONES, written

TERRAFORM = shutil.which("terraform")
pytestmark = pytest.mark.skipif(TERRAFORM is None, reason="Terraform is not installed")
_ENVIRONMENT = {**os.environ, "TF_CLI_CONFIG_FILE": os.devnull, "CHECKPOINT_DISABLE": "1"}


def terraform(*args: str, folder: Path) -> str:
    done = subprocess.run(
        [str(TERRAFORM), *args], cwd=folder, env=_ENVIRONMENT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["origins.tf", "for-each.tf"])
def test_an_export_is_formatted(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(written(EXPORTS[name], ZONES))
    assert terraform("fmt", "-check", "-diff", folder=tmp_path) == ""


def test_a_plan_imports_each_mapping_of_a_map(tmp_path: Path) -> None:
    text = written(EXPORTS["for-each.tf"], ZONES)
    text = re.sub(r"\n  required_providers \{.*?\n  \}\n", "", text, flags=re.S)
    text = re.sub(r"  zone_id   = each.*?region\n", "  input = each.value\n", text, flags=re.S)
    text = text.replace("cloudflare_origin_cloud_region", "terraform_data")
    (tmp_path / "main.tf").write_text(text)
    terraform("init", folder=tmp_path)
    plan = terraform("plan", "-no-color", folder=tmp_path)
    assert "Plan: 3 to import, 0 to add," in plan
    assert f'imported from "{ID}/2001:db8::1"' in plan
