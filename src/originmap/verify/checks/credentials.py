"""Credentials: missing, malformed and wrong ones. Wrong ones are rare: servers block clients that
send many."""

from originmap.verify.check import check
from originmap.verify.expected import UNAUTHENTICATED, refusal, success
from originmap.verify.pattern import TEXT, Expected, OneOf
from originmap.verify.trial import Trial

_TOKEN = "originmap-verify-knows-no-such-token-000"  # noqa: S105 (unknown)
_KEY = "0123456789abcdef0123456789abcdef01234"
_EMAIL = "nobody@example.com"
UNKNOWN_TOKEN = (("Authorization", f"Bearer {_TOKEN}"),)
NO_CREDENTIAL = refusal(400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")


def malformed(code: int, header: str) -> Expected:
    """The answer for a credential that has not the form of one."""
    chain = [{"code": code, "message": f"Invalid format for {header} header"}]
    error = {"code": 6003, "message": "Invalid request headers", "error_chain": chain}
    return Expected(400, {"success": False, "errors": [error], "result": None})


def without_a_credential(trial: Trial) -> None:
    """The list without a credential is 400, code 9106."""
    trial.expect(trial.ask("GET", signed=False), NO_CREDENTIAL)


def a_malformed_token(trial: Trial) -> None:
    """A bearer token with characters that no token has is 400, code 6003, with 6111."""
    headers = (("Authorization", "Bearer not a token!"),)
    answer = trial.ask("GET", headers=headers, signed=False)
    trial.expect(answer, malformed(6111, "Authorization"))


def a_malformed_key_or_email(trial: Trial) -> None:
    """A key that is too short, and an email address without @, are 400, code 6003."""
    for email, key, expected in (
        (_EMAIL, "short", malformed(6103, "X-Auth-Key")),
        ("nobody", _KEY, malformed(6102, "X-Auth-Email")),
    ):
        headers = (("X-Auth-Email", email), ("X-Auth-Key", key))
        trial.expect(trial.ask("GET", headers=headers, signed=False), expected)


def half_of_the_pair(trial: Trial) -> None:
    """An email address without a key is 9106, a key without an email address 9107."""
    for header, expected in (
        (("X-Auth-Email", _EMAIL), refusal(400, 9106, "Missing X-Auth-Key header")),
        (("X-Auth-Key", _KEY), refusal(400, 9107, "Missing X-Auth-Email header")),
    ):
        trial.expect(trial.ask("GET", headers=(header,), signed=False), expected)


def an_unknown_token(trial: Trial) -> None:
    """The list with an unknown token is 401, code 10000."""
    trial.spend_wrong_credential("P-AUTH-6")
    trial.expect(trial.ask("GET", headers=UNKNOWN_TOKEN, signed=False), UNAUTHENTICATED)


def an_unknown_token_at_zones(trial: Trial) -> None:
    """The list of zones with an unknown token is 403, code 9109."""
    trial.spend_wrong_credential("P-AUTH-7")
    answer = trial.ask_at("/zones", UNKNOWN_TOKEN, signed=False)
    trial.expect(answer, refusal(403, 9109, "Invalid access token"))


def an_unknown_token_at_verify(trial: Trial) -> None:
    """The verification of an unknown token is 401, code 1000."""
    trial.spend_wrong_credential("P-AUTH-8")
    answer = trial.ask_at("/user/tokens/verify", UNKNOWN_TOKEN, signed=False)
    trial.expect(answer, refusal(401, 1000, "Invalid API Token"))


def an_unknown_pair(trial: Trial) -> None:
    """The list with an unknown email address and key is 403, code 9103."""
    trial.spend_wrong_credential("P-AUTH-5")
    headers = (("X-Auth-Email", _EMAIL), ("X-Auth-Key", _KEY))
    answer = trial.ask("GET", headers=headers, signed=False)
    trial.expect(answer, refusal(403, 9103, "Unknown X-Auth-Key or X-Auth-Email"))


def the_token_of_the_run(trial: Trial) -> None:
    """The verification of the run's token answers its id and its status."""
    _need_a_token(trial)
    status = OneOf(("active", "disabled", "expired"))
    answer = trial.ask_at("/user/tokens/verify")
    trial.expect(answer, success({"id": TEXT, "status": status}))


def the_message_of_an_active_token(trial: Trial) -> None:
    """The verification of the run's token has a message with code 10000."""
    _need_a_token(trial)
    message = {"code": 10000, "message": "This API Token is valid and active"}
    trial.expect(trial.ask_at("/user/tokens/verify"), success(messages=[message]))


def _need_a_token(trial: Trial) -> None:
    trial.need(trial.zone.has_token, "the credential of the run is no token")


CHECKS = (
    check(without_a_credential, "P-AUTH-1"),
    check(a_malformed_token, "P-AUTH-2", "D-42"),
    check(a_malformed_key_or_email, "P-AUTH-3", "D-42"),
    check(half_of_the_pair, "P-AUTH-4", "D-41"),
    check(an_unknown_token, "P-AUTH-6", "D-23"),
    check(an_unknown_token_at_zones, "P-AUTH-7", "D-44"),
    check(an_unknown_token_at_verify, "P-AUTH-8", "D-44"),
    check(an_unknown_pair, "P-AUTH-5"),
    check(the_token_of_the_run, "P-TOKEN-1"),
    check(the_message_of_an_active_token, "P-TOKEN-2"),
)
