"""The mappings of a zone without JavaScript: lists, single changes, conflicts, plans."""

import asyncio
from urllib.parse import urlencode

import pytest

from originmap.service import initial_data
from tests.api.application import BEARER, MAPPINGS
from tests.api.ui.conftest import UI, ZONE, Visitor, words

PLACE = "aws/us-east-1"


async def test_an_operator_adds_changes_and_deletes_a_mapping(operator: Visitor) -> None:
    page = await operator.get(ZONE)
    assert "192.0.2.1" in words(page)
    added = await operator.post(f"{ZONE}/mappings", ip=" 2001:DB8::1 ", place="gcp/us-east4")
    assert "2001:db8::1 is now in gcp us-east4." in words(added)
    page = await operator.get(f"{ZONE}/mappings/2001:db8::1")
    changed = await operator.post(
        f"{ZONE}/mappings/2001:db8::1", ip="2001:db8::1", etag=etag(page.text), place=PLACE
    )
    assert "2001:db8::1 is now in aws us-east-1." in words(changed)
    page = await operator.get(f"{ZONE}/mappings/2001:db8::1")
    gone = await operator.post(f"{ZONE}/mappings/2001:db8::1/delete", etag=etag(page.text))
    assert "Deleted the mapping of 2001:db8::1." in words(gone)


async def test_a_wrong_address_is_refused_in_words(operator: Visitor) -> None:
    await operator.get(ZONE)
    answer = await operator.post(f"{ZONE}/mappings", ip="<script>", place=PLACE)
    assert answer.status_code == 400
    assert "Invalid or missing origin IP address." in words(answer)


async def test_an_existing_mapping_is_not_replaced_without_asking(operator: Visitor) -> None:
    await operator.get(ZONE)
    answer = await operator.post(f"{ZONE}/mappings", ip="192.0.2.1", place="gcp/us-east4")
    assert answer.status_code == 412
    assert "Now in the zone aws us-east-1" in words(answer)
    assert "What you wanted gcp us-east4" in words(answer)


async def test_a_conflict_shows_both_values_and_can_be_overwritten(operator: Visitor) -> None:
    mine = etag((await operator.get(f"{ZONE}/mappings/192.0.2.1")).text)
    theirs = {"origin_ip": "192.0.2.1", "vendor": "azure", "region": "eastus"}
    await operator.client.put(f"{MAPPINGS}/192.0.2.1", json=theirs, headers=BEARER)
    path = f"{ZONE}/mappings/192.0.2.1"
    answer = await operator.post(path, ip="192.0.2.1", etag=mine, place="gcp/us-east4")
    assert answer.status_code == 412
    assert "Nothing was written" in words(answer)
    assert "Now in the zone azure eastus" in words(answer)
    again = etag(answer.text)
    done = await operator.post(path, ip="192.0.2.1", etag=again, place="gcp/us-east4")
    assert "192.0.2.1 is now in gcp us-east4." in words(done)
    stale = await operator.post(f"{path}/delete", etag=mine)
    assert (stale.status_code, "Delete the mapping" in words(stale)) == (412, True)


async def test_the_table_is_filtered(operator: Visitor) -> None:
    await operator.get(ZONE)
    await operator.post(f"{ZONE}/mappings", ip="198.51.100.7", place="gcp/us-east4")
    for query, expected in {
        "q=198.51": "1 of 2 mappings",
        "q=gcp us": "1 of 2 mappings",
        "vendor=aws": "1 of 2 mappings",
        "region=gcp/us-east4": "1 of 2 mappings",
        "since=2999-01-01T00:00": "0 of 2 mappings",
        "contradicts=1": "0 of 2 mappings",
        "q=&page=99": "2 mappings",
    }.items():
        assert expected in words(await operator.get(f"{ZONE}?{query}"))


LIST = """\
Origin IP;Vendor;Region
192.0.2.1;gcp;us-east4
198.51.100.1;aws;us-east-1
198.51.100.2;;
nonsense;aws;us-east-1
198.51.100.3;aws;nowhere
198.51.100.1;aws;us-west-2
"""


async def test_a_pasted_list_becomes_a_plan_and_then_mappings(operator: Visitor) -> None:
    await operator.get(ZONE)
    plan = await operator.post(f"{ZONE}/plan", text=LIST, place=PLACE)
    text = words(plan)
    assert "2 to add, 1 to change, 0 to delete; 0 are as wanted already." in text
    assert "Line 5: 'nonsense' is not an origin address." in text
    assert "198.51.100.3: there is no region aws nowhere." in text
    assert "Line 7: 198.51.100.1 is in the list twice, with another region." in text
    done = await operator.post(f"{ZONE}/apply", change=changes(plan.text))
    assert "3 of 3 changes are written." in words(done)
    assert "3 mappings" in words(done)


@pytest.mark.parametrize(
    "text",
    [
        "192.0.2.8\n192.0.2.9",
        "192.0.2.8 aws us-east-1\n192.0.2.9\taws\tus-east-1",
        "origin_ip,zone,region,vendor\n192.0.2.8,example.com,us-east-1,AWS\n192.0.2.9",
    ],
)
async def test_a_list_has_several_forms(operator: Visitor, text: str) -> None:
    await operator.get(ZONE)
    plan = await operator.post(f"{ZONE}/plan", text=text, place=PLACE)
    assert "2 to add, 0 to change, 0 to delete" in words(plan)


@pytest.mark.parametrize("text", ["", "\n\n", '"', "a,b,c\n" * 3, "\x00"])
async def test_a_list_without_mappings_says_why(operator: Visitor, text: str) -> None:
    await operator.get(ZONE)
    plan = await operator.post(f"{ZONE}/plan", text=text, place=PLACE)
    assert "not in the plan" in words(plan)
    assert "Nothing would change" in words(plan)


def _addresses(count: int) -> list[str]:
    return [f"10.0.{number // 250}.{number % 250}" for number in range(count)]


async def test_a_list_can_fill_a_zone_and_not_more(operator: Visitor) -> None:
    await operator.get(ZONE)
    full = await operator.post(f"{ZONE}/plan", text="\n".join(_addresses(3_500)), place=PLACE)
    assert "3,500 to add" in words(full)
    more = await operator.post(f"{ZONE}/plan", text="\n".join(_addresses(3_501)), place=PLACE)
    assert "The list has 3,501 addresses; a zone has at most 3,500 mappings." in words(more)
    assert changes(more.text) == []


@pytest.mark.parametrize("line", ["nonsense", "192.0.2.7", ""])
async def test_a_list_with_far_too_many_lines_is_not_read(operator: Visitor, line: str) -> None:
    await operator.get(ZONE)
    for end in ("\n", "\r", "\r\n"):
        text = end.join([line] * 14_001)
        plan = await operator.post(f"{ZONE}/plan", text=text, place=PLACE)
        assert "1 not in the plan The list has 14,001 lines; the limit is 14,000" in words(plan)


async def test_a_form_has_at_most_a_mebibyte(operator: Visitor) -> None:
    await operator.get(ZONE)
    large = await operator.post(f"{ZONE}/plan", text="x" * (1 << 20), place=PLACE)
    assert (large.status_code, large.json()["errors"][0]["code"]) == (413, 1146)


async def test_other_requests_are_answered_while_a_long_list_is_read(operator: Visitor) -> None:
    await operator.get(ZONE)
    passes = 0

    async def look() -> None:
        nonlocal passes
        while True:
            await asyncio.sleep(0.001)
            passes += 1

    text = "\n".join(f"nonsense {number}" for number in range(14_000))
    body = urlencode({"csrf": operator.csrf, "text": text})
    looking = asyncio.ensure_future(look())
    headers = {"content-type": "application/x-www-form-urlencoded"}
    plan = await operator.client.post(f"{UI}{ZONE}/plan", content=body, headers=headers)
    looking.cancel()
    assert "14,000 not in the plan" in words(plan)
    assert passes >= 10


async def test_selected_mappings_are_deleted_or_moved_by_a_plan(operator: Visitor) -> None:
    await operator.get(ZONE)
    chosen = ["192.0.2.1"]
    moved = await operator.post(f"{ZONE}/plan", ip=chosen, action="move", place="gcp/us-east4")
    assert "0 to add, 1 to change, 0 to delete" in words(moved)
    deleted = await operator.post(f"{ZONE}/plan", ip=chosen, action="delete")
    assert "0 to add, 0 to change, 1 to delete" in words(deleted)
    done = await operator.post(f"{ZONE}/apply", change=changes(deleted.text))
    assert "The zone has no mappings yet" in words(done)
    nothing = await operator.post(f"{ZONE}/plan", action="delete")
    assert "No mapping is selected." in words(nothing)


async def test_a_plan_of_another_state_is_shown_again(operator: Visitor) -> None:
    await operator.get(ZONE)
    plan = await operator.post(f"{ZONE}/plan", text="192.0.2.1 gcp us-east4")
    theirs = {"origin_ip": "192.0.2.1", "vendor": "azure", "region": "eastus"}
    await operator.client.put(f"{MAPPINGS}/192.0.2.1", json=theirs, headers=BEARER)
    answer = await operator.post(f"{ZONE}/apply", change=changes(plan.text))
    assert answer.status_code == 409
    both = "when it was aws us-east-1; now it is azure eastus, and you want gcp us-east4."
    assert both in words(answer)
    done = await operator.post(f"{ZONE}/apply", change=changes(answer.text))
    assert "1 of 1 changes are written." in words(done)


async def test_a_page_shows_the_first_hundred_problems(operator: Visitor) -> None:
    await operator.get(ZONE)
    stale = [f"{ip} gcp/us-east4 azure/eastus" for ip in _addresses(300)]
    answer = await operator.post(f"{ZONE}/apply", change=stale)
    assert answer.status_code == 409
    assert words(answer).count("the plan was made when it was") == 99
    assert "… and 201 more." in words(answer)


async def test_a_script_applies_a_plan_in_parts(operator: Visitor) -> None:
    await operator.get(ZONE)
    url, headers = f"{UI}{ZONE}/apply", {"Accept": "application/json"}
    part = {"csrf": operator.csrf, "change": ["192.0.2.8 - aws/us-east-1"]}
    first = await operator.client.post(url, data=part, headers=headers)
    assert first.json() == {"done": 1, "failed": []}
    part |= {"change": ["192.0.2.9 - aws/us-east-1"], "before": "1"}
    await operator.client.post(url, data=part, headers=headers)
    assert "2 changes are written." in words(await operator.get(ZONE))
    stale = {"csrf": operator.csrf, "change": ["192.0.2.9 gcp/us-east4 -"]}
    refused = await operator.client.post(url, data=stale, headers=headers)
    assert (refused.status_code, refused.json()["done"]) == (409, 0)
    assert "now it is aws us-east-1" in refused.json()["failed"][0]


async def test_a_reader_sees_no_buttons_and_is_refused(reader: Visitor) -> None:
    for path in (ZONE, f"{ZONE}/mappings/192.0.2.1"):
        page = await reader.get(path)
        assert page.status_code == 200
        assert "<button" not in page.text.partition("</header>")[2].replace(
            '<button type="submit">Filter</button>', ""
        )
    for path in ("/mappings", "/mappings/192.0.2.1", "/mappings/192.0.2.1/delete"):
        answer = await reader.post(f"{ZONE}{path}", ip="192.0.2.7", place=PLACE)
        assert (answer.status_code, "not have the permission" in words(answer)) == (403, True)
    change = "192.0.2.1 aws/us-east-1 -"
    answer = await reader.post(f"{ZONE}/apply", change=change)
    assert (answer.status_code, "not have the permission" in words(answer)) == (403, True)


async def test_a_token_of_one_zone_sees_that_zone_only(stranger: Visitor) -> None:
    await stranger.sign_in("secret-zone")
    page = await stranger.get("/zones")
    assert ("example.org" in words(page), "example.com" in words(page)) == (True, False)
    refused = await stranger.get(ZONE)
    assert refused.status_code == 403
    assert initial_data.DEV_ID not in words(refused).partition("Main")[2]


def etag(page: str) -> str:
    return page.partition('name="etag" value="')[2].partition('"')[0].replace("&#34;", '"')


def changes(page: str) -> list[str]:
    return [part.partition('"')[0] for part in page.split('name="change" value="')[1:]]
