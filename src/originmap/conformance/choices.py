"""What Originmap does if nothing is published. An ID never changes its meaning."""

from originmap.conformance.fact import OurChoice

CHOICES = (
    OurChoice(
        "D-1",
        "GET or DELETE of an address without a mapping",
        "404, 1142, with the published text",
    ),
    OurChoice("D-2", "the status of 1157 and of a bad page", "400"),
    OurChoice(
        "D-3",
        "a bad page",
        "400, 1146, with a text like the published one; only ASCII digits are a number",
    ),
    OurChoice("D-4", "an invalid address in the path", "400, 1146 for GET, PUT and DELETE"),
    OurChoice(
        "D-5",
        "a batch that is absent, or not an array of 1 to 100 items",
        "400, 1146, nothing applied",
    ),
    OurChoice(
        "D-6",
        "an invalid item of a batch",
        "in failed, with the text of the single call; a valid address in canonical form, "
        "an invalid one unchanged",
    ),
    OurChoice(
        "D-7",
        "the same address twice in a batch",
        "the first item is applied, later ones fail; after a failed item the next one is "
        "not a duplicate",
    ),
    OurChoice(
        "D-8",
        "a batch that exceeds 3,500 mappings",
        "403, 1164, nothing applied; replacing in a full zone is allowed",
    ),
    OurChoice("D-9", "PUT of the stored mapping", "200, modified_on unchanged, no change recorded"),
    OurChoice("D-10", "comparison of the addresses in path and body", "in canonical form"),
    OurChoice("D-11", "the case of vendor and region", "must match exactly"),
    OurChoice("D-12", "an IPv4-mapped IPv6 address", "is the IPv4 address"),
    OurChoice(
        "D-13",
        "addresses with zone IDs, masks, leading zeros, ports, brackets, blanks",
        "invalid: 1146",
    ),
    OurChoice(
        "D-14",
        "addresses that an origin cannot have",
        "unspecified, multicast and broadcast addresses are 1146; private, loopback and "
        "documentation addresses are accepted",
    ),
    OurChoice(
        "D-15",
        "the order of the list",
        "by address, IPv4 first; a page past the end is empty",
    ),
    OurChoice(
        "D-16",
        "Tiered Cache off",
        "supported_regions is 403, 1135; mappings can be written",
    ),
    OurChoice(
        "D-17",
        "the required permission",
        "to read: Zone Settings or Zone, Read or Write; to write: Zone Settings Write or "
        "Zone Write",
    ),
    OurChoice(
        "D-18",
        "malformed JSON, missing or wrong members",
        "6007; 1146 for the address, 1157 for vendor or region; of duplicate members the "
        "last one is used, unknown members are ignored",
    ),
    OurChoice("D-19", "a body over 1 MiB", "413, 1146"),
    OurChoice(
        "D-20",
        "modified_on",
        "RFC 3339 in UTC with microseconds, always increasing, the same for all items of a batch",
    ),
    OurChoice(
        "D-21",
        "v1",
        "unknown routes unless v1 is enabled; if enabled, responses have the headers of "
        "deprecation",
    ),
    OurChoice(
        "D-22",
        "a zone that does not exist",
        "7003 for credentials that can read all zones; for others 403, 10000, as for a "
        "zone that they cannot read",
    ),
    OurChoice("D-23", "an unknown token; a token without the permission", "401, 10000; 403, 10000"),
    OurChoice("D-24", "v1's DELETE without a mapping", "404, 1163, with our own text"),
    OurChoice("D-25", "precedence of deny and allow", "deny takes precedence"),
    OurChoice(
        "D-26",
        "a method that is not supported",
        "405, 7001, with a correct Allow header; HEAD works on every path with GET",
    ),
    OurChoice(
        "D-27",
        "a trailing slash, a double slash, a zone ID in upper case",
        "unknown route, no redirect",
    ),
    OurChoice(
        "D-28",
        "/zones/{id} of a zone that does not exist, or that the token does not allow",
        "403, 9109, the same for both",
    ),
    OurChoice("D-29", "per_page of zones, accounts and tokens", "1 to 50"),
    OurChoice("D-30", "unknown query arguments", "ignored"),
    OurChoice("D-31", "a page past the end", "200, empty, with the requested page number"),
    OurChoice("D-32", "PUT of a token's value without a body", "works"),
    OurChoice("D-33", "an absent body that announces JSON", "same as an absent body"),
    OurChoice("D-34", "an encoded slash in the address", "remains part of the segment: 1146"),
    OurChoice("D-35", "bearer and key headers together", "the bearer token is used"),
    OurChoice("D-36", "a new zone's settings", "exist at once, with defaults"),
    OurChoice(
        "D-37",
        "the rights of the token of originmap dev",
        "all; verify returns the token of the request",
    ),
    OurChoice(
        "D-38",
        "the limit on invalid credentials",
        "100 in a minute from one address; valid credentials continue to work",
    ),
    OurChoice("D-39", "unknown request headers", "ignored"),
    OurChoice(
        "D-40",
        "the order of checks",
        "route, method, credential, permission, address, JSON, fields, path against body,"
        " region, limit",
    ),
    OurChoice("D-41", "only one of email and key", "9106 without the key, 9107 without the email"),
    OurChoice("D-42", "malformed credentials", "6003 with 6111, 6103 or 6102"),
    OurChoice(
        "D-43",
        "a token that is disabled, expired or not yet valid",
        "401, 10000 on every route; verify returns its status",
    ),
    OurChoice(
        "D-44",
        "an unknown token on the routes of accounts and zones, and on verify",
        "403, 9109; 401, 1000",
    ),
    OurChoice(
        "D-45",
        "the statuses of related codes",
        "1061, 1002, 1001 and 400 are 400; 1003 is 404",
    ),
    OurChoice("D-46", "PATCH of a zone", "one of paused and type; otherwise 400, 1001"),
    OurChoice(
        "D-47",
        "Smart Tiered Cache after DELETE, Regional Tiered Cache",
        "off; off at first, editable",
    ),
    OurChoice("D-48", "secrets of tokens", "40 characters that every client accepts"),
    OurChoice("D-49", "the request ID", "a new cf-ray for each request"),
    OurChoice("D-50", "a URL over 8 KiB, headers over 16 KiB", "414, 10414; 431, 10431"),
    OurChoice("D-51", "Allow and OPTIONS", "the supported methods only; OPTIONS is 405"),
    OurChoice(
        "D-52",
        "v1: batch DELETE without a mapping, the wrapper of an emptied zone, errors",
        "a failed item; modified_on null; errors have the headers of deprecation too",
    ),
    OurChoice("D-53", "mapped or compatible forms of refused addresses", "refused too"),
    OurChoice(
        "D-54",
        "ETag and If-Match of one mapping",
        "its revision; 412, 10412 if no tag matches",
    ),
    OurChoice(
        "D-61",
        "name_servers, verification_key, vanity_name_servers of a zone",
        "two names under originmap.invalid with the zone's ID, for a partial zone a key "
        "with it; vanity names unchanged",
    ),
    OurChoice(
        "D-62",
        "names of zones in Unicode",
        "returned as they were sent, in NFC and lower case; both forms are the same name;"
        " names that IDNA 2008 forbids are 400, 1002",
    ),
    OurChoice("D-63", "POST of an account", "403, 1002, for every credential; the body is ignored"),
    OurChoice(
        "D-64",
        "an empty list in a token's request_ip",
        "in: [] allows no address, not_in: [] excludes none; both are returned unchanged",
    ),
    OurChoice(
        "D-65",
        "a token that is denied one zone, on routes for all zones",
        "it cannot create zones in that account or copy the database; an unknown zone is "
        "403, 10000",
    ),
    OurChoice(
        "D-66",
        "own vendors and regions of the operator",
        "not in supported_regions, 1157 in a request, unless --own-vendors is set; mappings that "
        "name one are listed",
    ),
    OurChoice(
        "D-67",
        "large old and new values in the audit log",
        "members of more than 4 KiB, 1 KiB with a per_page above 100, are replaced by their size "
        "and digest; an entry found by its id is whole",
    ),
)
