"""The URL of a PostgreSQL database: unescaped characters and unsupported parameters are
explained."""

from pathlib import Path

import pytest

from originmap.domain.errors import StoreUnusable
from originmap.store.postgres.login import driver_arguments
from originmap.store.postgres.parameters import Parameters, parameters_of
from originmap.store.postgres.pool import Servers
from originmap.store.postgres.url import read_url


def given(url: str, **environment: str) -> Parameters:
    return parameters_of(url, read_url(url), environment)


def refusal(url: str, **environment: str) -> str:
    """Return the error about an unusable URL, which never includes its password."""
    with pytest.raises(StoreUnusable) as caught:
        Servers(url, environment)
    assert caught.value.hint
    assert "s3cret" not in str(caught.value) + caught.value.hint
    return str(caught.value)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://om:s3cret@ss@h/om", "the URL has more than one @: write %40"),
        ("postgresql://o@m:s3cret@h/om", "the URL has more than one @: write %40"),
        ("postgresql://om:p@ss/s3cret@h/om", "the URL has more than one @: write %40"),
        ("postgresql://om:p/s3cret@h/om", "unescaped / before its @: write %2F"),
        ("postgresql://om:1/s3cret@h/om", "unescaped / before its @: write %2F"),
        ("postgresql://om:p?s3cret@h/om", r"unescaped \? before its @: write %3F"),
        ("postgresql://om:p#s3cret@h/om", "unescaped #: write %23"),
        ("postgresql://om:p[s3cret@h/om", r"unescaped \[ or \] before its @: write %5B"),
        ("postgresql://om:p]s3cret@h/om", r"unescaped \[ or \] before its @: write %5B"),
        ("postgresql://om:p%s3cret@h/om", "% that is not followed by two hex.*: write %25"),
        ("postgresql://om:s3cret%@h/om", "% that is not followed by two hex.*: write %25"),
        ("postgresql://om:p%E9s3cret@h/om", "not UTF-8"),
        ("postgresql://om:p%00s3cret@h/om", "it has %00"),
        ("postgresql://om:p s3cret@h/om", "unescaped space: write %20"),
        ("postgresql://om:s3cret@h/om ", "ends with white space"),
        ("postgresql://om:s3cret@h/om\n", "ends with white space"),
        ("postgresql://om:s3cret@h/om'", "unescaped quotation mark"),
        ('postgresql://om:"s3cret"@h/om', "unescaped quotation mark"),
        ("postgresql://om:s3cret", "a port is not a number"),
        ("postgresql://om:s3cret@h:no/om", "a port is not a number"),
        ("postgresql://om:s3cret@h:0/om", "a port is not a number"),
        ("postgresql://om:s3cret@a,,b/om", "a host in its list is empty"),
        ("postgresql://om:s3cret@::1/om", "IPv6 address is not in brackets"),
        ("postgresql://om:s3cret@[::1/om", "bracket"),
        ("postgresql://om:s3cret@h/om?s3cret", "not NAME=VALUE"),
        ("postgresql://om:s3cret@h/om?sslmode", "not NAME=VALUE"),
    ],
)
def test_an_unescaped_character_is_explained(url: str, says: str) -> None:
    with pytest.raises(StoreUnusable, match=says):
        read_url(url)
    assert "cannot be read" in refusal(url)


def test_a_url_is_parsed_and_decoded() -> None:
    url = "postgresql://o%40m:p%40%2F%23%25:s@a:1,[::1]:2,%2Frun/my%20db?options=-c%20x%3D1&user=x"
    assert read_url(url) == (
        "o@m", "p@/#%:s", (("a", "1"), ("::1", "2"), ("/run", "")), "my db",
        {"options": "-c x=1", "user": "x"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("url", "servers"),
    [
        ("postgresql://h/db", (("h", 5432),)),
        ("postgresql://me:p,w@a:1,b:2/db?application_name=1,2", (("a", 1), ("b", 2))),
        ("postgresql:///db?host=/run", (("/run", 5432),)),
        ("postgresql:///db?host=a,::1&port=1,2", (("a", 1), ("::1", 2))),
        ("postgresql:///db?host=a,b&port=7", (("a", 7), ("b", 7))),
        ("postgresql://u@localhost/db?host=/cloudsql/a:b:c", (("/cloudsql/a:b:c", 5432),)),
        ("postgresql://u@localhost:7/db?host=/run", (("/run", 7),)),
        ("postgresql://u@a:1,b:2/db?host=c,d", (("c", 1), ("d", 2))),
        ("postgresql://u@a:1/db?port=2", (("a", 2),)),
        ("postgresql:///db", ((None, 5432),)),
        ("postgresql://@:7/db", ((None, 7),)),
    ],
)
def test_a_url_can_have_several_servers(
    url: str, servers: tuple[tuple[str | None, int], ...]
) -> None:
    assert given(url).servers == servers


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("sslmode=no-verify", "sslmode=no-verify is not supported: use one of disable, allow, "
         "prefer, require, verify-ca, verify-full"),
        ("sslmode=", "use one of disable"),
        ("channel_binding=require", "channel_binding=require is not supported: use one of"),
        ("gssencmode=require", "gssencmode=require is not supported"),
        ("target_session_attrs=master", "use one of any, read-write"),
        ("client_encoding=latin1", "client_encoding=latin1 is not supported"),
        ("connect_timeout=0", "seconds from 1 to 600"),
        ("connect_timeout=never", "seconds from 1 to 600"),
        ("keepalives_idle=x", "a number from 1 to"),
        ("keepalives=2", "use one of 0, 1"),
        ("sslnegotiation=direct", "it needs sslmode=require"),
        ("sslnegotiation=x", "use one of postgres, direct"),
        ("sslrootcert=system&sslmode=require", "it needs sslmode=verify-full"),
        ("sslrootcert=/nothing", "it has no effect with sslmode=prefer"),
        ("sslrootcert=/nothing&sslmode=verify-ca", "sslrootcert=/nothing: No such file"),
        ("sslmode=require&sslcrl=/nothing", "sslcrl=/nothing: No such file"),
        ("sslmode=require&sslcert=/nothing", "sslcert=/nothing: No such file"),
        ("sslmode=require&sslkey=/nothing", "sslkey=/nothing: No such file"),
        ("sslmode=require&sslrootcert=/etc/hostname", "the file is not in PEM format"),
        ("service=nothing", "service=nothing: the file"),
        ("port=no", "port is not a number"),
        *((f"{name}=1", f"the parameter {name} is not supported: remove it") for name in (
            "pgbouncer", "schema", "sslaccept", "pool_timeout", "connection_limit", "requiressl",
            "hostaddr", "require_auth", "sslcrldir", "requirepeer", "statement_timeout")),
    ],
)  # fmt: skip
def test_an_unsupported_parameter_is_rejected_by_name(query: str, says: str) -> None:
    assert says in refusal(f"postgresql://om:s3cret@h/om?{query}")


@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
def test_a_missing_root_certificate_is_named(
    mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    says = "the root certificate ~/.postgresql/root.crt is missing: set sslrootcert"
    assert says in refusal(f"postgresql://om@h/om?sslmode={mode}")
    assert f"PGSSLMODE={mode}: {says}" in refusal("postgresql://om@h/om", PGSSLMODE=mode)


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("PGSSLMODE", "no-verify", "PGSSLMODE=no-verify is not supported: use one of disable"),
        ("PGSSLROOTCERT", "/nothing", "PGSSLROOTCERT=/nothing: No such file"),
        ("PGSSLCERT", "/nothing", "PGSSLCERT=/nothing: No such file"),
        ("PGPASSFILE", "/nothing", "PGPASSFILE=/nothing: No such file"),
        ("PGSERVICE", "nothing", "PGSERVICE=nothing: the file"),
        ("PGPORT", "no", "PGPORT is not a number"),
        ("PGCHANNELBINDING", "require", "PGCHANNELBINDING=require is not supported"),
        ("PGREQUIREAUTH", "scram-sha-256", "the parameter PGREQUIREAUTH is not supported"),
        ("PGTARGETSESSIONATTRS", "master", "PGTARGETSESSIONATTRS=master is not supported"),
        ("PGSSLNEGOTIATION", "x", "PGSSLNEGOTIATION=x is not supported"),
        ("PGSSLMINPROTOCOLVERSION", "SSLv3", "PGSSLMINPROTOCOLVERSION=SSLv3 is not supported"),
        ("PGCONNECT_TIMEOUT", "x", "PGCONNECT_TIMEOUT=x is not supported"),
    ],
)
def test_an_invalid_variable_is_named(variable: str, value: str, says: str) -> None:
    mode = {"PGSSLROOTCERT": "?sslmode=verify-ca", "PGSSLCERT": "?sslmode=require"}
    assert says in refusal(f"postgresql://om@h/om{mode.get(variable, '')}", **{variable: value})


def test_common_parameters_of_hosting_providers_are_supported(tmp_path: Path) -> None:
    url = (
        "postgresql://om@h/om?sslmode=require&channel_binding=prefer&connect_timeout=10&keepalives=1"
        "&keepalives_idle=30&keepalives_interval=10&keepalives_count=5&target_session_attrs="
        "read-write&application_name=mine&options=endpoint%3Dx&gssencmode=disable&client_encoding=UTF8"
    )
    arguments = driver_arguments(given(url))
    assert arguments["ssl"] == "require"
    assert arguments["target_session_attrs"] == "read-write"
    assert arguments["server_settings"] == {"options": "endpoint=x"}


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        ("", {}),
        ("-c a.b=1 -cc=2 --d-e=3", {"a.b": "1", "c": "2", "d_e": "3"}),
        (r"-c search_path=my\ schema,x", {"search_path": "my schema,x"}),
        ("endpoint=x", None),
        ("-c a=1 -E", None),
        ("-c", None),
    ],
)
def test_options_are_parsed_as_settings_or_passed_to_the_server(
    options: str, settings: dict[str, str] | None
) -> None:
    assert given("postgresql://om@h/om", PGOPTIONS=options).settings == settings


def test_the_system_certificates_are_used_on_request() -> None:
    context = driver_arguments(given("postgresql://om@h/om?sslrootcert=system"))["ssl"]
    assert context.check_hostname
    assert context.get_ca_certs() or context.verify_mode.name == "CERT_REQUIRED"


def test_a_service_and_variables_complete_the_url(tmp_path: Path) -> None:
    file = tmp_path / "services"
    file.write_text("[mine]\nhost=a\nport=7\nuser=me\npassword=50%off\n")
    found = given("postgresql:///om?service=mine", PGSERVICEFILE=str(file), PGUSER="x", PGPORT="9")
    assert found.servers == (("a", 7),)
    assert (found.value("user"), found.value("password")) == ("me", "50%off")
    assert "no such service" in refusal("postgresql:///om?service=x", PGSERVICEFILE=str(file))
    file.write_text("password=s3cret\n")
    assert "not a service file" in refusal("postgresql:///om?service=x", PGSERVICEFILE=str(file))


def test_a_password_file_that_other_users_can_read_is_rejected(tmp_path: Path) -> None:
    file = tmp_path / "pgpass"
    file.write_text("*:*:*:*:s3cret\n")
    file.chmod(0o644)
    assert "other users can read it" in refusal("postgresql://om@h/om", PGPASSFILE=str(file))
    assert "other users can read it" in refusal(f"postgresql://om@h/om?passfile={file}")
    assert "passfile=/nothing: No such file" in refusal("postgresql://om@h/om?passfile=/nothing")
    Servers(f"postgresql://om:pw@h/om?passfile={file}")  # the file is not used


def test_a_parameter_overrides_the_part_before_the_question_mark() -> None:
    found = given("postgresql://om:old@h/db?user=me&password=new&dbname=other")
    assert [found.value(name) for name in ("user", "password", "dbname")] == ["me", "new", "other"]
