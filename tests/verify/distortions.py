"""For each check, a server with a fault in the subject of the check."""

import itertools
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.verify.wrong_server import Passing

Change = Callable[[Passing], None]

_AWS = ("result", "vendors", "aws")


class Distortion(NamedTuple):
    """Changes responses to requests of `method` whose path ends like `path`, a pattern."""

    method: str
    path: str
    change: Change

    def __call__(self, passing: Passing) -> None:
        if passing.method == self.method and re.search(f"(?:{self.path})$", passing.path):
            self.change(passing)


def status(number: int) -> Change:
    def change(passing: Passing) -> None:
        passing.status = number

    return change


def code(number: int) -> Change:
    return put("errors", 0, "code", value=number)


def message(text: str) -> Change:
    return put("errors", 0, "message", value=text)


def header(name: str, value: str | None) -> Change:
    def change(passing: Passing) -> None:
        assert passing.headers is not None
        passing.headers.pop(name, None)
        if value is not None:
            passing.headers[name] = value

    return change


def put(*path: str | int, value: Any) -> Change:
    """Set a member of the body, if its parent exists."""

    def change(passing: Passing) -> None:
        above = _at(passing.body, path[:-1])
        if isinstance(above, dict) or (isinstance(above, list) and len(above) > int(path[-1])):
            above[path[-1]] = value() if callable(value) else value

    return change


def drop(*path: str | int) -> Change:
    """Remove a member of the body."""

    def change(passing: Passing) -> None:
        above = _at(passing.body, path[:-1])
        if isinstance(above, dict):
            above.pop(path[-1], None)
        elif isinstance(above, list) and above:
            del above[path[-1]]

    return change


def accepted(passing: Passing) -> None:
    """Turn the error into a success."""
    passing.status = 200
    passing.body = {"success": True, "errors": [], "messages": [], "result": {}}


def refused(passing: Passing) -> None:
    """Turn the response into an error."""
    passing.status = 403
    error = {"code": 10000, "message": "Authentication error"}
    passing.body = {"success": False, "errors": [error], "messages": [], "result": None}


def another_time() -> Callable[[], str]:
    minutes = itertools.count(10)
    return lambda: f"2026-03-01T12:{next(minutes)}:00.000000Z"


def reverse(*path: str | int) -> Change:
    def change(passing: Passing) -> None:
        found = _at(passing.body, path)
        if isinstance(found, list):
            found.reverse()

    return change


def reverse_upper_tiers(passing: Passing) -> None:
    for region in _at(passing.body, _AWS):
        region["upper_tier_colos"].reverse()


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for each in path:
        if isinstance(value, dict):
            value = value.get(each)
        elif isinstance(value, list) and len(value) > int(each):
            value = value[int(each)]
        else:
            return None
    return value


LIST, ONE, BATCH = "cloud_regions", r"cloud_regions/[\dA-Fa-f:.]+", "/batch"
REGIONS, VERIFY = "/supported_regions", "/user/tokens/verify"

DISTORTIONS = {
    "every_answer_is_an_envelope": Distortion("GET", LIST, drop("messages")),
    "a_refusal_has_code_and_message": Distortion("GET", "per_page=101", drop("errors", 0, "code")),
    "a_creation_is_200": Distortion("PUT", ONE, status(201)),
    "the_credential_opens_every_operation": Distortion("DELETE", BATCH, refused),
    "every_answer_has_a_request_id": Distortion("GET", ONE, header("cf-ray", "1")),
    "a_request_id_is_new": Distortion("GET", ".*", header("cf-ray", "0" * 16 + "-IAD")),
    "unknown_headers_are_ignored": Distortion("GET", "per_page=1", status(400)),
    "the_rate_limit_is_announced": Distortion("GET", "per_page=1", header("ratelimit", "50")),
    "pages_have_20_mappings_unless_said": Distortion(
        "GET", LIST, put("result_info", "per_page", value=25)
    ),
    "result_info_counts": Distortion(
        "GET", "per_page=1", put("result_info", "total_pages", value=1)
    ),
    "an_empty_zone_has_no_pages": Distortion(
        "GET", LIST, put("result_info", "total_pages", value=1)
    ),
    "per_page_out_of_range": Distortion("GET", "per_page=0", code(1004)),
    "a_page_past_the_end_is_empty": Distortion("GET", "page=1000&per_page=100", status(404)),
    "a_page_past_the_end_says_its_number": Distortion(
        "GET", "page=1000&per_page=100", put("result_info", "page", value=1)
    ),
    "a_bad_page_is_400": Distortion("GET", "per_page=101", status(422)),
    "a_bad_page_is_told": Distortion("GET", "page=x", message("no page")),
    "the_list_is_in_the_order_of_addresses": Distortion("GET", "per_page=100", reverse("result")),
    "unknown_arguments_are_ignored": Distortion("GET", "per_pages=7", status(400)),
    "get_answers_the_mapping": Distortion("GET", ONE, put("result", "region", value="us-west-1")),
    "a_mapping_has_four_members": Distortion("GET", ONE, drop("result", "modified_on")),
    "get_without_a_mapping": Distortion("GET", ONE, code(1163)),
    "get_and_delete_without_a_mapping": Distortion("DELETE", ONE, code(1163)),
    "delete_answers_the_address": Distortion("DELETE", ONE, put("result", "vendor", value="aws")),
    "delete_without_a_mapping": Distortion("DELETE", ONE, status(200)),
    "the_tag_of_a_mapping": Distortion("GET", ONE, header("etag", None)),
    "put_creates_and_replaces": Distortion("GET", ONE, put("result", "vendor", value="aws")),
    "put_is_idempotent": Distortion("PUT", ONE, status(409)),
    "an_identical_put_changes_nothing": Distortion(
        "PUT", ONE, put("result", "modified_on", value=another_time())
    ),
    "path_and_body_must_agree": Distortion("PUT", ONE, message("no")),
    "an_unsupported_region_is_1157": Distortion("PUT", ONE, code(1146)),
    "an_unsupported_region_is_400": Distortion("PUT", ONE, status(422)),
    "all_members_are_required": Distortion("PUT", ONE, accepted),
    "a_mapping_can_be_managed_as_a_resource": Distortion("DELETE", ONE, status(404)),
    "the_spelling_of_vendor_and_region_is_exact": Distortion("PUT", ONE, accepted),
    "malformed_json_is_6007": Distortion("PUT", ONE, code(9207)),
    "wrong_bodies": Distortion("PUT", ONE, status(422)),
    "duplicate_and_unknown_members": Distortion("PUT", ONE, put("result", "vendor", value="gcp")),
    "a_body_over_1_mib": Distortion("PUT", ONE, status(400)),
    "no_body_that_announces_json": Distortion("PUT", ONE, code(6007)),
    "modified_on_is_precise_and_moves_on": Distortion(
        "PUT", ONE, put("result", "modified_on", value="2026-03-01T12:00:00Z")
    ),
    "addresses_are_normalised": Distortion("PUT", ONE, put("result", "origin_ip", value="::2")),
    "colons_may_be_encoded": Distortion("GET", ".*%3A.*", status(404)),
    "documentation_addresses_are_taken": Distortion("PUT", ONE, status(400)),
    "path_and_body_are_compared_as_addresses": Distortion("PUT", ONE, status(400)),
    "a_mapped_address_is_its_ipv4_address": Distortion(
        "PUT", ONE, put("result", "origin_ip", value="::ffff:c633:6480")
    ),
    "a_path_that_is_no_address": Distortion("DELETE", "/not-an-address", status(404)),
    "decorated_addresses_are_none": Distortion("GET", "%25eth0", status(404)),
    "an_encoded_slash_stays_in_the_address": Distortion("GET", "%2F24", status(404)),
    "addresses_that_no_origin_has": Distortion("GET", "/0.0.0.0", status(404)),
    "other_forms_of_refused_addresses": Distortion("GET", "/::ffff:224.0.0.1", status(404)),
    "a_batch_has_up_to_100_items": Distortion("DELETE", BATCH, status(400)),
    "a_batch_merges": Distortion("GET", ONE, status(404)),
    "items_are_checked_one_by_one": Distortion("PUT", BATCH, status(400)),
    "items_of_the_answer": Distortion(
        "PUT", BATCH, put("result", "succeeded", 0, "modified_on", value="2026-03-01T12:00:00Z")
    ),
    "a_failed_item_has_the_text_of_a_single_call": Distortion(
        "PUT", BATCH, put("result", "failed", 0, "error", value="no")
    ),
    "an_address_twice_in_a_batch": Distortion("PUT", BATCH, drop("result", "failed", 0)),
    "a_batch_of_101": Distortion("PUT", BATCH, accepted),
    "a_batch_that_is_no_array_of_items": Distortion("DELETE", BATCH, accepted),
    "a_batch_has_one_modified_on": Distortion(
        "GET", ONE, put("result", "modified_on", value=another_time())
    ),
    "an_array_of_addresses_is_deleted": Distortion("DELETE", BATCH, status(400)),
    "what_went_is_answered": Distortion("DELETE", BATCH, drop("result", "succeeded", 0, "vendor")),
    "what_is_not_there_fails": Distortion("DELETE", BATCH, drop("result", "failed", 0)),
    "deletion_without_a_body_deletes_nothing": Distortion("GET", ONE, status(404)),
    "regions_have_names_and_colos": Distortion("GET", REGIONS, drop("result", "obtained_codes")),
    "tiered_cache_is_required": Distortion("GET", REGIONS, accepted),
    "without_tiered_cache": Distortion("GET", REGIONS, code(1136)),
    "the_example_holds": Distortion("GET", REGIONS, reverse_upper_tiers),
    "every_region_has_a_fallback": Distortion(
        "GET", REGIONS, put(*_AWS, 0, "upper_tier_colos", value=["IAD"])
    ),
    "there_are_four_vendors": Distortion("GET", REGIONS, drop("result", "vendors", "oci")),
    "the_regions_are_those_of_the_catalogue": Distortion("GET", REGIONS, drop(*_AWS, 0)),
    "what_is_supported_can_be_mapped_to": Distortion("PUT", ONE, refused),
    "tiered_cache_can_be_read": Distortion("GET", "/tiered_caching", drop("result", "editable")),
    "smart_tiered_cache_can_be_read": Distortion("GET", "_enable", put("result", "id", value="x")),
    "regional_tiered_cache_can_be_read": Distortion(
        "GET", "/regional_tiered_cache", put("result", "id", value="regional")
    ),
    "words_win_over_addresses": Distortion("PUT", BATCH, status(400)),
    "no_such_route": Distortion("GET", "/more", status(404)),
    "slashes_and_case_are_exact": Distortion("GET", "/", status(301)),
    "a_method_that_is_not_served": Distortion("POST", ONE, code(10405)),
    "allow_and_head": Distortion("PATCH", ONE, header("allow", "GET, PUT")),
    "an_unknown_zone": Distortion("GET", LIST, code(1001)),
    "an_unknown_zone_itself": Distortion("GET", "0f", code(7003)),
    "the_order_of_checks": Distortion("PATCH", ONE, code(9106)),
    "without_a_credential": Distortion("GET", LIST, code(10000)),
    "a_malformed_token": Distortion("GET", LIST, drop("errors", 0, "error_chain")),
    "a_malformed_key_or_email": Distortion("GET", LIST, code(6004)),
    "half_of_the_pair": Distortion("GET", LIST, code(9106)),
    "an_unknown_token": Distortion("GET", LIST, status(403)),
    "an_unknown_token_at_zones": Distortion("GET", "/zones", status(401)),
    "an_unknown_token_at_verify": Distortion("GET", VERIFY, code(10000)),
    "an_unknown_pair": Distortion("GET", LIST, status(400)),
    "the_token_of_the_run": Distortion("GET", VERIFY, put("result", "status", value="on")),
    "the_message_of_an_active_token": Distortion("GET", VERIFY, drop("messages", 0)),
}
"""Distortions by the name of the check."""
