"""The history of a zone: changes, comparisons and rollbacks without JavaScript."""

import re

import pytest

from tests.api.ui.conftest import ZONE, Visitor, words


async def change(operator: Visitor) -> None:
    await operator.get(ZONE)
    await operator.post(f"{ZONE}/mappings", ip="198.51.100.1", place="gcp/us-east4")
    await operator.post(f"{ZONE}/mappings", ip="198.51.100.2", place="aws/us-west-2")


async def test_the_history_says_who_changed_what(operator: Visitor) -> None:
    await change(operator)
    page = await operator.get(f"{ZONE}/history")
    assert re.search(r"UTC all 192\.0\.2\.200 198\.51\.100\.2 none aws us-west-2", words(page))
    of_one = words(await operator.get(f"{ZONE}/history?ip=198.51.100.1"))
    assert ("gcp us-east4" in of_one, "aws us-west-2" in of_one) == (True, False)


async def test_two_revisions_are_compared(operator: Visitor) -> None:
    await change(operator)
    first = (await newest(operator)) - 1
    page = words(await operator.get(f"{ZONE}/compare?from={first}&to="))
    assert "198.51.100.2 no mapping aws us-west-2" in page
    assert "198.51.100.1 " not in page
    same = words(await operator.get(f"{ZONE}/compare?from={first}&to={first}"))
    assert "The mappings are the same." in same


async def test_a_rollback_is_previewed_and_can_be_rolled_back(operator: Visitor) -> None:
    await change(operator)
    to = (await newest(operator)) - 2
    preview = await operator.get(f"{ZONE}/rollback?to={to}")
    assert "0 to add, 0 to change, 2 to delete" in words(preview)
    done = await operator.post(f"{ZONE}/rollback", to=str(to), seen=seen(preview.text))
    assert f"Rolled back to revision {to}: 2 mappings changed." in words(done)


async def test_a_rollback_that_would_do_something_else_is_shown_again(operator: Visitor) -> None:
    await change(operator)
    to = (await newest(operator)) - 2
    preview = await operator.get(f"{ZONE}/rollback?to={to}")
    await operator.post(f"{ZONE}/mappings", ip="198.51.100.3", place="aws/us-west-2")
    again = await operator.post(f"{ZONE}/rollback", to=str(to), seen=seen(preview.text))
    assert again.status_code == 409
    assert "0 to add, 0 to change, 3 to delete" in words(again)


@pytest.mark.parametrize(
    "path",
    ["/history?ip=nonsense", "/compare?from=x", "/rollback?to=x", "/rollback?to=99999999"],
)
async def test_wrong_input_is_refused_in_words(operator: Visitor, path: str) -> None:
    page = await operator.get(f"{ZONE}{path}")
    assert page.status_code in (400, 410)
    assert 'role="alert"' in page.text


async def test_a_reader_cannot_roll_back(reader: Visitor) -> None:
    page = await reader.get(f"{ZONE}/history")
    assert (page.status_code, "Roll back" in words(page)) == (200, False)
    assert (await reader.post(f"{ZONE}/rollback", to="1", seen="")).status_code == 403


async def newest(operator: Visitor) -> int:
    page = await operator.get(f"{ZONE}/history")
    found = re.search(r'<th scope="row" class="number">(\d+)</th>', page.text)
    assert found is not None
    return int(found[1])


def seen(page: str) -> str:
    return page.partition('name="seen" value="')[2].partition('"')[0]
