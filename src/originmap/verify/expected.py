"""The answers that several checks expect, with the published texts. They are written down here a
second time, because a check that took them from the server's code could not find them wrong."""

from typing import Any

from originmap.verify.pattern import ANY, TIME, Expected

VENDOR, REGION, OTHER_REGION = "aws", "us-east-1", "us-west-2"
"""A region that the published examples name, and another one of the same vendor."""


def success(result: Any = ANY, **members: Any) -> Expected:
    """200 with a result."""
    return Expected(200, {"success": True, "errors": [], "result": result, **members})


def refusal(status: Any, code: int, message: Any = ANY) -> Expected:
    """An error with one code."""
    return refusals(status, (code, message))


def refusals(status: Any, *errors: tuple[int, Any]) -> Expected:
    """An error with several codes."""
    listed = [{"code": code, "message": message} for code, message in errors]
    return Expected(status, {"success": False, "errors": listed, "result": None})


def mapping(address: str, vendor: Any = VENDOR, region: Any = REGION) -> dict[str, Any]:
    """A mapping in an answer."""
    return {"origin_ip": address, "vendor": vendor, "region": region, "modified_on": TIME}


def item(address: str, vendor: str = VENDOR, region: str = REGION) -> dict[str, str]:
    """A mapping in a request."""
    return {"origin_ip": address, "vendor": vendor, "region": region}


ADDRESS_TEXT = "Invalid or missing origin IP address."
REGION_TEXT = (
    "The vendor provided doesn't exist or the region provided does not exist "
    "for the specified cloud vendor"
)
MISSING_TEXT = (
    "Unable to retrieve origin_public_cloud_region setting value. The zone setting does not exist."
)
MISMATCH_TEXT = "body origin_ip does not match URL"
BATCH_TEXT = "batch must be an array of 1 to 100 items"
PER_PAGE_TEXT = "invalid per_page parameter, must be between 1 and 100"
PAGE_TEXT = "invalid page parameter, must be 1 or more"

NO_ADDRESS = refusal(400, 1146, ADDRESS_TEXT)
NO_REGION = refusal(400, 1157, REGION_TEXT)
MISSING = refusal(404, 1142, MISSING_TEXT)
MALFORMED = refusal(400, 6007, "Malformed JSON in request body")
MISMATCH = refusal(400, 1146, MISMATCH_TEXT)
NO_BATCH = refusal(400, 1146, BATCH_TEXT)
UNAUTHENTICATED = refusal(401, 10000, "Authentication error")
FORBIDDEN = refusal(403, 10000, "Authentication error")


def no_route(path: str) -> Expected:
    """The answer for a path that no route has; `path` is below the base URL."""
    text = f"Could not route to {path}, perhaps your object identifier is invalid?"
    return refusals(400, (7003, text), (7000, "No route for that URI"))


def no_method(method: str) -> Expected:
    """The answer for a method that a path does not take."""
    return refusal(405, 7001, f"Method {method} not available for that URI.")
