"""Bytes of files become text in whatever encoding programs write it."""

import pytest

from originmap.domain.encoding import NotText, decode

TEXT = '{"a": "\u00e9 \U0001f600"}\r\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("mark", ["\ufeff", ""], ids=["with a mark", "without"])
def test_a_text_is_read_in_each_encoding_that_programs_write(encoding: str, mark: str) -> None:
    assert decode((mark + TEXT).encode(encoding)) == TEXT


def test_the_end_of_a_file_that_dos_marks_is_passed_over() -> None:
    assert decode(b"a\r\n\x1a") == "a\r\n"
    assert decode("a\x1a".encode("utf-16")) == "a"


@pytest.mark.parametrize("text", ["", "a", "ab", "abc", "\u00e9", "a\0b"])
def test_a_short_text_is_utf_8(text: str) -> None:
    assert decode(text.encode()) == text


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"a\nb\xe9c", "not UTF-8 at byte 3 (0xe9, in line 2): save it as UTF-8"),
        (b"\xef\xbb\xbfa\xff", "not UTF-8 at byte 4 (0xff, in line 1): save it as UTF-8"),
        (b"\xed\xa0\x80", "not UTF-8 at byte 0 (0xed, in line 1): save it as UTF-8"),
        (b"\xff\xfea\0b", "this is UTF-16, damaged or cut off at byte 4: save it as UTF-8"),
        (b"\xfe\xff\xd8\x00\0a", "this is UTF-16, damaged or cut off at byte 2: save it as UTF-8"),
        (
            b"PK\x03\x04\x14\0",
            "this is a ZIP archive or a workbook of a spreadsheet: save it as plain text",
        ),
        (b"\x1f\x8b\x08\0", "this is compressed by gzip: unpack it"),
    ],
)
def test_invalid_text_is_refused_with_position_and_remedy(data: bytes, reason: str) -> None:
    with pytest.raises(NotText) as caught:
        decode(data)
    assert str(caught.value) == reason
