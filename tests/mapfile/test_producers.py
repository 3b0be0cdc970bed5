"""Files as editors, PowerShell, JSON encoders and people who know little YAML write them."""

import json
from pathlib import Path

import pytest

from originmap import data
from originmap.domain.mapping import address
from originmap.mapfile import json_events, reader
from originmap.mapfile.errors import UnusableFile, WrongFile

HEADING = ("zone", "origin_ip", "vendor", "region")
ROW = ("example.com", "192.0.2.1", "aws", "us-east-1")


def places(folder: Path, content: str | bytes, name: str) -> dict[str, str]:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    origins = reader.read(file, data.catalogue()).zones["example.com"].origins
    return {address.text(a): f"{w.place.vendor}/{w.place.region}" for a, w in origins.items()}


def problems(folder: Path, content: str, name: str) -> list[str]:
    with pytest.raises(WrongFile) as caught:
        places(folder, content, name)
    return str(caught.value).replace(f"{folder}/", "").splitlines()[1:]


def comments(folder: Path, content: str, name: str) -> list[str]:
    (folder / name).write_bytes(content.encode())
    document = reader.read(folder / name, data.catalogue())
    return [w.comment for w in document.zones["example.com"].origins.values()]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("form", ["yaml", "json", "csv"])
def test_every_form_is_read_as_windows_programs_save_it(
    tmp_path: Path, form: str, encoding: str
) -> None:
    text = {
        "yaml": "zones:\r\n  example.com:\r\n    mappings:\r\n      192.0.2.1: aws/us-east-1\r\n",
        "json": '{"zones": {"example.com":\r\n{"mappings": {"192.0.2.1": "aws/us-east-1"}}}}\r\n',
        "csv": ",".join(HEADING) + "\r\n" + ",".join(ROW) + "\r\n",
    }[form]
    assert places(tmp_path, text.encode(encoding), f"a.{form}") == {"192.0.2.1": "aws/us-east-1"}


def test_invalid_utf_8_is_reported_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(UnusableFile) as caught:
        places(tmp_path, ("# \n# caf\u00e9\n").encode("cp1252"), "a.yaml")
    assert str(caught.value).endswith(
        "a.yaml: not UTF-8 at byte 8 (0xe9, in line 2): save it as UTF-8"
    )


def in_json(comment: str) -> str:
    origin = f'{{"vendor": "aws", "region": "us-east-1", "comment": {comment}}}'
    return f'{{"zones": {{"example.com": {{"mappings": {{"192.0.2.1": {origin}}}}}}}}}'


@pytest.mark.parametrize(
    "comment",
    [
        "\U0001f600",
        "\x7f",
        "\x80",
        "\u2028",
        "\ufeff",
        "\ufffe",
        "\0",
        "/",
        '"\\\b\f\n\r\t',
        "\u00e9",
    ],
)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_what_json_encoders_write_is_read(tmp_path: Path, comment: str, ascii_only: bool) -> None:
    text = in_json(json.dumps(comment, ensure_ascii=ascii_only))
    assert comments(tmp_path, text, "a.json") == [comment]


@pytest.mark.parametrize("number", ["1" * 5000, "-0.1e+999999", "true", "0"])
def test_a_number_in_json_is_a_word(tmp_path: Path, number: str) -> None:
    assert comments(tmp_path, in_json(number), "a.json") == [number]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "1:1: not JSON: a value is missing"),
        ("{", "1:2: not JSON: a key in double quotes is missing"),
        ('{"zones": {}', "1:13: not JSON: a comma or } is missing"),
        ('{"zones": {},\n}', "2:1: not JSON: a key in double quotes is expected, not '}'"),
        ("{zones: {}}", "1:2: not JSON: a key in double quotes is expected, not 'zones'"),
        ('{"zones"\n  {}}', "2:3: not JSON: a colon is expected, not '{'"),
        ('{"zones": {}} x', "1:15: not JSON: the end of the file is expected, not 'x'"),
        ('{"zones": {}}\n{"zones": {}}', "2:1: not JSON: the end of the file is expected, not '{'"),
        ('{"zones": NaN}', "1:11: not JSON: a value is expected, not 'NaN'"),
        ('{"zones": 01}', "1:11: not JSON: a value is expected, not '01'"),
        ('{"zones": "\t"}', "1:12: not JSON: invalid control character"),
        ('{"zones": "\\x"}', "1:12: not JSON: invalid \\escape"),
        ('{"zones": "a', "1:11: not JSON: unterminated string starting"),
        ('{"zones": {"\\ud83d": {}}}', "1:12: not JSON: half of a surrogate pair"),
        ('{"zones": {"\\ude00\\ud83d": {}}}', "1:12: not JSON: half of a surrogate pair"),
        ('{"zones": ' + "[" * 100_000, "1:110: not JSON: nested more than 100 levels deep"),
        ('{"zones": {"a": {}, "a": {}}}', "1:21: a is here twice; first at a.json:1:12"),
        ('{"zones": {},\n "zones": {}}', "2:2: zones is here twice; first at a.json:1:2"),
        ('{"zones": "\\n",\n "zone": 1}', "2:2: unknown key 'zone'; there are zones"),
    ],
)
def test_an_error_in_json_has_file_line_and_column(tmp_path: Path, text: str, problem: str) -> None:
    assert any(said.startswith(f"a.json:{problem}") for said in problems(tmp_path, text, "a.json"))


def test_the_json_parser_takes_what_json_is() -> None:
    for text in ('[1, -2.5E-3, "a", {}, [], true, false, null]', '"\\u0041"', " 1 ", "\t\r\n{}\n"):
        json.loads(text)
        assert len(list(json_events.parse(text))) >= 3


def in_list(*items: str) -> str:
    lines = "".join(f"          - {item}\n" for item in items)
    group = "vendor: aws\n        region: us-east-1\n        origins:\n"
    return f"zones:\n  example.com:\n    groups:\n      - {group}{lines}"


def in_zone(line: str) -> str:
    return f"zones:\n  example.com:\n    mappings:\n      {line}\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (in_list("2001:db8::"), "7:13: put quotes around '2001:db8::'"),
        (in_list("2001:db8:: # a comment", "::1"), "7:13: put quotes around '2001:db8::'"),
        (in_list("::"), "7:13: put quotes around '::'"),
        (in_list("192.0.2.1: a comment"), "7:13: an origin in a list is an address or a host name;"
         " with comments, leave out the dashes"),
        (in_list("{}"), "7:13: an origin in a list is an address or a host name;"
         " with comments, leave out the dashes"),
        (in_zone("2001:db8:: aws/us-east-1"), "4:7: put quotes around '2001:db8::'"),
        ("zones: {a: {ignore: [2001:db8::]}}",
         "1:31: not YAML: found unexpected ':'; put quotes around '2001:db8::'"),
        ("zones: {a: {groups: [{origins: [192.0.2.1, 2001:db8:1::, ::1]}]}}",
         "1:55: not YAML: found unexpected ':'; put quotes around '2001:db8:1::'"),
        ("zones: {a: {groups: [{origins: [::1, 192.0.2.1]}]}}",
         "1:33: not YAML: did not find expected node content; put quotes around '::1'"),
        ("zones: {a b: {}}", "1:9: not the name or id of a zone: 'a b'"),
        ("zones: {\u201ca\u201d: {}}", "1:9: not the name or id of a zone: '\u201ca\u201d'"),
        ("zones: {'https://a/': {}}", "1:9: not the name or id of a zone: 'https://a/'"),
        (in_zone("a: 2001:db8::"), "4:19: not YAML: mapping values are not allowed in this context;"
         " put quotes around '2001:db8::'"),
        (in_zone("a: @b"), "4:10: not YAML: found character that cannot start any token;"
         " put quotes around the word that begins with @"),
        (in_zone("<<: *defaults"), "4:7: merge keys are refused here; use a group"),
        (in_zone("192.0.2.1: !env PLACE"), "4:18: tags are refused here: !env"),
        (in_zone("!!binary MTkyLjAuMi4x: aws/us-east-1"),
         "4:7: tags are refused here: tag:yaml.org,2002:binary"),
        (in_zone("\u00e9\u00e9: \x01"), "4:11: not YAML: a character that it may not have"),
        (in_zone("1:30: aws/us-east-1"),
         "4:7: neither an IP address that an origin can have, nor a host name: '1:30'"),
    ],
)  # fmt: skip
def test_a_yaml_pitfall_is_reported_with_file_and_line(
    tmp_path: Path, text: str, problem: str
) -> None:
    assert f"a.yaml:{problem}" in problems(tmp_path, text, "a.yaml")


@pytest.mark.parametrize("text", ["[", "{a: ", "- ", "? "])
def test_yaml_is_not_nested_without_end(tmp_path: Path, text: str) -> None:
    said = problems(tmp_path, text * 100_000, "a.yaml")
    assert any("nested more than 100 levels deep" in line for line in said)


@pytest.mark.parametrize(
    ("line", "origin"),
    [
        ("2001:db8::: aws/us-east-1", "2001:db8::"),
        ("::1: aws/us-east-1", "::1"),
        ("2001:db8::1: aws/us-east-1", "2001:db8::1"),
        ("&origin 192.0.2.1: aws/us-east-1", "192.0.2.1"),
        ("!!str 192.0.2.1: aws/us-east-1", "192.0.2.1"),
        ("? 192.0.2.1\n      : aws/us-east-1", "192.0.2.1"),
    ],
)
def test_an_address_is_a_word_however_yaml_would_take_it(
    tmp_path: Path, line: str, origin: str
) -> None:
    assert places(tmp_path, in_zone(line), "a.yaml") == {origin: "aws/us-east-1"}


def test_words_that_yaml_would_convert_are_names(tmp_path: Path) -> None:
    text = "zones:\n  no: {}\n  on: {}\n  1.10: {}\n  0x10: {}\n---\nzones:\n  12e3: {}\n"
    (tmp_path / "a.yaml").write_text(text)
    zones = reader.read(tmp_path / "a.yaml", None).zones
    assert list(zones) == ["no", "on", "1.10", "0x10", "12e3"]
