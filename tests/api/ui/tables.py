"""The tables of a page as somebody reads them, and the drawing that has the same facts."""

import json
import re
from typing import Any

import httpx


def row_of(answer: httpx.Response, header: str) -> str:
    """The text of the first row whose header begins with these words."""
    rows = re.findall(r"<tr>.*?</tr>", answer.text, re.DOTALL)
    found = next(row for row in rows if re.search(rf'<th scope="row">{header}\b', row))
    return " ".join(re.sub(r"<[^>]*>", " ", found).split())


def drawing_of(answer: httpx.Response) -> Any:
    """The data of the map's script."""
    found = re.search(r'<script [^>]*id="drawing"[^>]*>(.*?)</script>', answer.text)
    assert found
    return json.loads(found[1])
