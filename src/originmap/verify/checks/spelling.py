"""How addresses are written and compared, and what is an address."""

from originmap.verify.addresses import REFUSED, REFUSED_FORMS, TAKEN, ZERO_PADDED
from originmap.verify.check import check
from originmap.verify.expected import MISSING, NO_ADDRESS, item, mapping, success
from originmap.verify.trial import Trial


def long_form(address: str) -> str:
    """Another spelling of a canonical IPv6 address of a run: upper case, with all groups."""
    first, _, last = address.upper().partition("::")
    groups = [*first.split(":"), last]
    return ":".join([*groups[:-1], *["0"] * (8 - len(groups)), groups[-1]])


def addresses_are_normalised(trial: Trial) -> None:
    """PUT of an address in upper case without "::" answers its canonical form, which GET finds."""
    address = trial.address("2001:db8")
    spelled = long_form(address)
    answer = trial.put(spelled, item(spelled))
    trial.expect(answer, success({"origin_ip": address}))
    trial.expect(trial.get(address), success({"origin_ip": address}))


def colons_may_be_encoded(trial: Trial) -> None:
    """GET finds a mapping with plain and with percent-encoded colons."""
    address = trial.address("2001:db8")
    trial.made(address)
    trial.expect(trial.get(address), success(mapping(address)))
    trial.expect(trial.get(address.replace(":", "%3A")), success(mapping(address)))


def documentation_addresses_are_taken(trial: Trial) -> None:
    """PUT of an address of each documentation range."""
    for start in ("192.0.2", "198.51.100", "203.0.113", "2001:db8"):
        address = trial.address(start)
        trial.expect(trial.put(address, item(address)), success(mapping(address)))


def path_and_body_are_compared_as_addresses(trial: Trial) -> None:
    """PUT with two spellings of one IPv6 address in path and body is accepted."""
    address = trial.address("2001:db8")
    answer = trial.put(address, item(long_form(address)))
    trial.expect(answer, success(mapping(address)))


def a_mapped_address_is_its_ipv4_address(trial: Trial) -> None:
    """PUT of ::ffff:192.0.2.N answers the IPv4 address."""
    address = trial.address()
    spelled = f"::ffff:{address}"
    answer = trial.put(spelled, item(spelled))
    trial.expect(answer, success(mapping(address)))


def a_path_that_is_no_address(trial: Trial) -> None:
    """GET, PUT and DELETE of a text that is no address."""
    address = trial.address()
    trial.expect(trial.get("not-an-address"), NO_ADDRESS)
    trial.expect(trial.put("not-an-address", item(address)), NO_ADDRESS)
    trial.expect(trial.ask("DELETE", "/not-an-address"), NO_ADDRESS)


def decorated_addresses_are_none(trial: Trial) -> None:
    """GET of addresses with a zone ID, a mask, a leading zero, a port, brackets or a blank."""
    v4, v6 = trial.address(), trial.address("2001:db8")
    for text in (f"{v6}%25eth0", ZERO_PADDED, f"{v4}:80", f"%5B{v6}%5D", f"%20{v4}", f"{v4}%20"):
        trial.expect(trial.get(text), NO_ADDRESS)


def an_encoded_slash_stays_in_the_address(trial: Trial) -> None:
    """GET of an address with %2F24 after it."""
    trial.expect(trial.get(f"{trial.address()}%2F24"), NO_ADDRESS)


def addresses_that_no_origin_has(trial: Trial) -> None:
    """GET of unspecified, multicast and broadcast addresses is refused; of loopback and private
    ones it is not, if they have no mapping."""
    for address in REFUSED:
        trial.expect(trial.get(address), NO_ADDRESS)
    for address in TAKEN:
        if address not in trial.zone.before:
            trial.expect(trial.get(address), MISSING)


def other_forms_of_refused_addresses(trial: Trial) -> None:
    """GET of mapped and compatible forms of refused addresses."""
    for address in REFUSED_FORMS:
        trial.expect(trial.get(address), NO_ADDRESS)


CHECKS = (
    check(addresses_are_normalised, "P-GEN-5"),
    check(colons_may_be_encoded, "P-GEN-7"),
    check(documentation_addresses_are_taken, "P-GEN-10"),
    check(path_and_body_are_compared_as_addresses, "D-10"),
    check(a_mapped_address_is_its_ipv4_address, "D-12"),
    check(a_path_that_is_no_address, "D-4"),
    check(decorated_addresses_are_none, "D-13"),
    check(an_encoded_slash_stays_in_the_address, "D-34"),
    check(addresses_that_no_origin_has, "D-14"),
    check(other_forms_of_refused_addresses, "D-53"),
)
