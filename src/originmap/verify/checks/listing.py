"""The list of mappings, and its pages."""

from originmap.verify.addresses import canonical
from originmap.verify.check import check
from originmap.verify.expected import PAGE_TEXT, PER_PAGE_TEXT, refusal, success
from originmap.verify.pattern import ANY, CLIENT_ERROR, LIST, NUMBER, Each, Expected
from originmap.verify.trial import Trial

_PAST_THE_END = 1000


def pages_have_20_mappings_unless_said(trial: Trial) -> None:
    """The list without and with per_page, 1 and 100."""
    for tail, per_page in (("", 20), ("?per_page=1", 1), ("?page=1&per_page=100", 100)):
        info = {"page": 1, "per_page": per_page}
        trial.expect(trial.ask("GET", tail), success(LIST, result_info=info))


def result_info_counts(trial: Trial) -> None:
    """A page of one has all members of result_info, and as many pages as mappings."""
    trial.made(trial.address())
    trial.made(trial.address("2001:db8"))
    names = ("count", "page", "per_page", "total_count", "total_pages")
    answer = trial.ask("GET", "?page=1&per_page=1")
    whole = Expected(200, {"result": Each(ANY), "result_info": dict.fromkeys(names, NUMBER)})
    trial.expect(answer, whole)
    if whole.fits(answer.status, answer.headers, answer.json):
        info = answer.json["result_info"]
        trial.compare("count, page, per_page", [1, 1, 1], [info[name] for name in names[:3]])
        trial.compare("total_pages of pages of one", info["total_count"], info["total_pages"])


def an_empty_zone_has_no_pages(trial: Trial) -> None:
    """The list of an empty zone is empty and has no pages."""
    trial.need(trial.zone.has_only_ours(), "the zone has other mappings")
    info = {"count": 0, "total_count": 0, "total_pages": 0}
    trial.expect(trial.ask("GET"), success([], result_info=info))


def per_page_out_of_range(trial: Trial) -> None:
    """per_page 0 and 101 are refused with code 1146 and the published text."""
    for number in (0, 101):
        answer = trial.ask("GET", f"?per_page={number}")
        trial.expect(answer, refusal(CLIENT_ERROR, 1146, PER_PAGE_TEXT))


def a_page_past_the_end_is_empty(trial: Trial) -> None:
    """A page past the end is 200 and empty."""
    trial.expect(trial.ask("GET", f"?page={_PAST_THE_END}&per_page=100"), success([]))


def a_page_past_the_end_says_its_number(trial: Trial) -> None:
    """result_info of a page past the end has the page that was asked for."""
    info = {"page": _PAST_THE_END, "count": 0}
    answer = trial.ask("GET", f"?page={_PAST_THE_END}&per_page=100")
    trial.expect(answer, success([], result_info=info))


def a_bad_page_is_400(trial: Trial) -> None:
    """A page and a per_page out of range are 400."""
    trial.expect(trial.ask("GET", "?page=0"), Expected(400))
    trial.expect(trial.ask("GET", "?per_page=101"), Expected(400))


def a_bad_page_is_told(trial: Trial) -> None:
    """page 0, negative, a word, with a sign, and empty; per_page a word."""
    for text in ("0", "-1", "x", "%2B5", ""):
        trial.expect(trial.ask("GET", f"?page={text}"), refusal(400, 1146, PAGE_TEXT))
    trial.expect(trial.ask("GET", "?per_page=x"), refusal(400, 1146, PER_PAGE_TEXT))


def the_list_is_in_the_order_of_addresses(trial: Trial) -> None:
    """Mappings that were created in another order are listed by address, IPv4 first."""
    high = trial.address("203.0.113")
    created = [trial.address("2001:db8"), high, trial.address("192.0.2")]
    created.insert(1, trial.address("198.51.100"))
    for address in created:
        trial.made(address)
    listed = [address for address in trial.zone.read() if address in created]
    wanted = sorted(created, key=lambda address: canonical(address) or b"")
    trial.compare("the order of new mappings in the list", wanted, listed)


def unknown_arguments_are_ignored(trial: Trial) -> None:
    """The list is returned if the query has an unknown argument."""
    answer = trial.ask("GET", "?per_page=1&colour=blue&per_pages=7")
    trial.expect(answer, success(LIST, result_info={"per_page": 1}))


CHECKS = (
    check(pages_have_20_mappings_unless_said, "P-LIST-1"),
    check(result_info_counts, "P-LIST-2"),
    check(an_empty_zone_has_no_pages, "P-LIST-3"),
    check(per_page_out_of_range, "P-LIST-4"),
    check(a_page_past_the_end_is_empty, "P-LIST-5"),
    check(a_page_past_the_end_says_its_number, "D-31"),
    check(a_bad_page_is_400, "D-2"),
    check(a_bad_page_is_told, "D-3"),
    check(the_list_is_in_the_order_of_addresses, "D-15"),
    check(unknown_arguments_are_ignored, "D-30"),
)
