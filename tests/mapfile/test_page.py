"""The page about mappings as code: its example and error messages agree with the program."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from originmap import data
from originmap.mapfile import reader
from originmap.mapfile.document import schema as schema_text
from originmap.mapfile.errors import WrongFile

PAGE = (Path(__file__).parents[2] / "docs" / "mappings-as-code.md").read_text("utf-8")


def test_the_example_of_the_page_is_a_mappings_file(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S)
    file = tmp_path / "mappings.yaml"
    file.write_text(example)
    zone = reader.read(file, data.catalogue()).zones["example.com"]
    assert len(zone.origins) == 8
    assert sorted(zone.pools or {}) == ["api", "web"]
    assert list(zone.hosts) == ["origin.example.com"]
    assert [len(zone.ignore), len(zone.adopt)] == [1, 1]
    jsonschema.validate(yaml.safe_load(example), json.loads(schema_text()))


def test_the_errors_of_the_page_are_those_of_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (told,) = re.findall(r"^```\noriginmap: (3 errors .*?)\n```", PAGE, re.M | re.S)
    monkeypatch.chdir(tmp_path)
    file = Path("mappings.yaml")
    file.write_text(
        'zones: {example.com: {mappings: {\n#\n      "2001:db8::1": aws/us-east-1,\n'
        "      192.0.2.1: aws/us-esat-1,\n      192.0.2.1/24: aws/us-east-1,\n"
        '      "2001:DB8::1": aws/us-east-1}}}\n'
    )
    with pytest.raises(WrongFile) as caught:
        reader.read(file, data.catalogue())
    assert str(caught.value) == told
