"""CSV in the formats of spreadsheet programs."""

from pathlib import Path

import pytest

from tests.mapfile.test_producers import HEADING, ROW, comments, places, problems


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "first", ["", "sep={}\r\n", '"sep={}"\r\n', "SEP={}{}{}{}\n", "\r\n,,,\r\n"]
)
def test_csv_can_have_the_separator_of_any_spreadsheet(
    tmp_path: Path, separator: str, first: str
) -> None:
    first = first.replace("{}", separator).replace(",", separator)
    text = first + separator.join(HEADING) + "\r\n" + separator.join(ROW) + "\r\n"
    assert places(tmp_path, text, "a.csv") == {"192.0.2.1": "aws/us-east-1"}


@pytest.mark.parametrize(
    "text",
    [
        "sep=,\nzone;origin_ip;vendor;region\nexample.com;192.0.2.1;aws;us-east-1\n",
        "sep=^\nzone^origin_ip^vendor^region\nexample.com^192.0.2.1^aws^us-east-1\n",
        "Zone, Origin IP ,VENDOR,region\nexample.com, 192.0.2.1 ,aws,us-east-1\n",
        "zone,origin-ip,vendor,region,,\nexample.com,192.0.2.1,aws,us-east-1,,\n,,,,,\n",
        "zone,origin_ip,vendor,region\nexample.com,192.0.2.1,aws,us-east-1,,,\n , ,\n",
        "zone,,origin_ip,vendor,region\nexample.com,,192.0.2.1,aws,us-east-1\n",
        "zone,origin_ip,vendor,region,comment\nexample.com,192.0.2.1,aws,us-east-1\n",
        '"zone";"origin_ip";"vendor";"region"\n"example.com";"192.0.2.1";"aws";"us-east-1"\n',
        'zone, "origin_ip", vendor, region\nexample.com, "192.0.2.1", aws, "us-east-1"\n',
        "zone,origin_ip,vendor,region\rexample.com,192.0.2.1,aws,us-east-1\r",
    ],
)
def test_csv_can_have_empty_rows_and_columns(tmp_path: Path, text: str) -> None:
    assert places(tmp_path, text, "a.csv") == {"192.0.2.1": "aws/us-east-1"}


def test_an_unknown_separator_is_explained(tmp_path: Path) -> None:
    text = '"zone,origin_ip,vendor,region"\n"example.com,192.0.2.1,aws,us-east-1"\n'
    (said,) = problems(tmp_path, text, "a.csv")
    assert "each row is in quotes, so it is one cell: remove the quotes around rows" in said


def test_a_zone_name_cannot_have_a_punctuation_mark_or_a_blank(tmp_path: Path) -> None:
    text = "zone,origin_ip,vendor,region\n\ufeffexample.com,192.0.2.1,aws,us-east-1\n"
    (said,) = problems(tmp_path, text, "a.csv")
    assert said.endswith("2:1: not a zone name or id: '\\ufeffexample.com'")


def test_a_separator_in_quotes_is_part_of_its_cell(tmp_path: Path) -> None:
    text = (
        'zone;origin_ip;vendor;region;comment\nexample.com;192.0.2.1;aws;us-east-1;"a;b,c ""d"""\n'
    )
    assert comments(tmp_path, text, "a.csv") == ['a;b,c "d"']


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "zone:origin_ip:vendor:region\n",
            "a.csv:1:1: unknown separator: use a comma, a semicolon, a tab"
            " or |; the line is 'zone:origin_ip:vendor:region'",
        ),
        ("sep=;\nzone;origin_ip;vendor\n", "a.csv:2:1: missing columns: region"),
        (
            "sep=;\n\nzone;origin_ip;vendor;region\nexample.com;192.0.2.1;aws;nowhere-1\n",
            "a.csv:4:27: unknown region 'nowhere-1' of aws; see originmap regions --vendor aws",
        ),
        (
            "zone,,origin_ip,vendor,region\nexample.com,x,192.0.2.1,aws,us-east-1\n",
            "a.csv:2:1: column 2 has no name, but this row has 'x' in it",
        ),
        (
            "zone,origin_ip,vendor,region\nexample.com,192.0.2.1,aws,us-east-1,,x\n",
            "a.csv:2:1: 6 cells in a table of 4 columns",
        ),
        (
            'sep=,\nzone,origin_ip,vendor,region\nexample.com,"192.0.2.1\n',
            "a.csv:3:1: not CSV: unexpected end of data",
        ),
        (
            'sep=,\n\nzone,origin_ip,vendor,region\nexample.com,"192.0.2.1,aws,us-east-1\n'
            + "example.com,192.0.2.2,aws,us-east-1\n" * 3,
            "a.csv:4:1: not CSV: unexpected end of data; a quote makes it one row up to line 7:"
            " is it closed?",
        ),
        (
            'zone,origin_ip,vendor,region,comment\nexample.com,192.0.2.1,aws,us-east-1,"a\nb"\n'
            'example.com,192.0.2.2,aws,us-east-1,"c\nexample.com,192.0.2.3,aws,us-east-1,"d"\n',
            "a.csv:4:1: not CSV: ',' expected after '\"'; a quote makes it one row up to line 5:"
            " is it closed?",
        ),
    ],
)
def test_a_problem_in_spreadsheet_csv_is_reported_with_its_position(
    tmp_path: Path, text: str, problem: str
) -> None:
    assert problems(tmp_path, text, "a.csv") == [problem]
