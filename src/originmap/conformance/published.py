"""Facts about the part of Cloudflare's API that is served here, in our own words.

`source` is the API's reference, its other docs, the source of official clients, or a report about
the answers of the real API. An ID never changes its meaning.
"""

from originmap.conformance.fact import Published

PUBLISHED = (
    Published(
        "P-GEN-1",
        "reference",
        "Every response is an object with errors, messages, result and success.",
    ),
    Published(
        "P-GEN-2",
        "reference",
        "An error has success false and result null, and each entry of errors a code and "
        "a message.",
    ),
    Published(
        "P-GEN-3",
        "reference",
        "The status of success is always 200, also after a creation.",
    ),
    Published(
        "P-GEN-4",
        "reference",
        "Every operation accepts a bearer token, or an email address with a global API key.",
    ),
    Published(
        "P-GEN-5",
        "reference",
        "Addresses are IPv4 or IPv6, and are normalised (RFC 5952) before they are looked"
        " up or stored.",
    ),
    Published(
        "P-GEN-6",
        "reference",
        "`batch` and `supported_regions` are at the position of the address in the path, "
        "and take precedence.",
    ),
    Published(
        "P-GEN-7",
        "client",
        "Clients send the colons of an address plain or percent-encoded.",
    ),
    Published(
        "P-GEN-8",
        "client",
        "A mapping is returned with origin_ip, vendor, region and modified_on; "
        "Terraform's provider needs all four.",
    ),
    Published("P-GEN-9", "reference", "The vendors are aws, azure, gcp and oci."),
    Published("P-GEN-10", "reported", "Addresses of the documentation ranges are accepted."),
    Published(
        "P-GEN-11",
        "client",
        "The official clients run with no other change than their base URL.",
    ),
    Published(
        "P-GEN-12",
        "client",
        "The clients turn 400, 401, 403, 404, 429 and 5xx into one class of error each.",
    ),
    Published(
        "P-GEN-13",
        "reported",
        "Every response has a cf-ray header: 16 hex digits, a hyphen, a colo.",
    ),
    Published(
        "P-LIST-1",
        "reference",
        "The list has pages: page from 1, per_page from 1 to 100, by default 20.",
    ),
    Published(
        "P-LIST-2",
        "reference",
        "result_info has count, page, per_page, total_count and total_pages.",
    ),
    Published("P-LIST-3", "docs", "An empty zone has an empty list and total_pages 0."),
    Published(
        "P-LIST-4",
        "docs",
        "A per_page out of range is refused with code 1146; the message has the range.",
    ),
    Published(
        "P-LIST-5",
        "client",
        "Clients request the next page until one is empty, so a page past the end is 200 "
        "and empty.",
    ),
    Published("P-GET-1", "reference", "GET of an address returns its mapping."),
    Published(
        "P-GET-2",
        "docs",
        "GET of an address without a mapping is 404, code 1142, with the published text.",
    ),
    Published("P-PUT-1", "reference", "PUT creates a mapping or replaces it."),
    Published("P-PUT-2", "reference", "PUT is idempotent."),
    Published(
        "P-PUT-3",
        "reference",
        "The address in the body must equal the one in the path; otherwise 400, code "
        "1146, with the published text.",
    ),
    Published(
        "P-PUT-4",
        "docs",
        "A vendor or region that is not supported is refused with code 1157 and the "
        "published text.",
    ),
    Published(
        "P-PUT-5",
        "reference",
        "A zone has at most 3,500 mappings; one more is 403, code 1164, with the published text.",
    ),
    Published("P-PUT-6", "reference", "origin_ip, vendor and region are all required."),
    Published(
        "P-PUT-7",
        "client",
        "Terraform's resource can be created, read, changed in place, imported and moved "
        "to another address.",
    ),
    Published(
        "P-PUT-8",
        "reference",
        "Every region in supported_regions can be used in a mapping.",
    ),
    Published("P-DEL-1", "reference", "DELETE returns the address only."),
    Published("P-DEL-2", "reference", "DELETE of an address without a mapping is 404."),
    Published("P-BPUT-1", "reference", "A batch has up to 100 items."),
    Published("P-BPUT-2", "reference", "A batch merges: mappings that are not in it stay."),
    Published(
        "P-BPUT-3",
        "reference",
        "Items are checked one by one; valid items are applied, invalid items are in failed.",
    ),
    Published(
        "P-BPUT-4",
        "reference",
        "The result has succeeded and failed; a succeeded item has address, vendor and "
        "region, a failed one an error.",
    ),
    Published("P-BPUT-5", "docs", "Over the limit the whole batch is refused with code 1164."),
    Published("P-BDEL-1", "reference", "A batch of deletions is an array of addresses, up to 100."),
    Published(
        "P-BDEL-2",
        "reference",
        "Succeeded items have the vendor and region of the removed mapping.",
    ),
    Published(
        "P-BDEL-3",
        "reference",
        "Addresses without a mapping and invalid addresses are in failed.",
    ),
    Published(
        "P-BDEL-4",
        "client",
        "The clients send no body with it by default, which must not remove anything.",
    ),
    Published(
        "P-SUP-1",
        "reference",
        "supported_regions has obtained_codes, and by vendor regions with name and "
        "upper_tier_colos.",
    ),
    Published("P-SUP-2", "reference", "supported_regions requires Tiered Cache to be on."),
    Published(
        "P-SUP-3",
        "docs",
        "The example of supported_regions: us-east-1 at IAD and EWR, us-west-2 at SEA, "
        "us-central1 at ORD.",
    ),
    Published(
        "P-SUP-4",
        "docs",
        "A region has a primary upper tier near it and a fallback elsewhere.",
    ),
    Published(
        "P-V1-1",
        "reference",
        "A v1 request has the member ip, a response origin-ip, in a wrapper with id, "
        "editable, modified_on and value.",
    ),
    Published(
        "P-V1-2",
        "reference",
        "The list of v1 has no pages; an empty list is 200 with modified_on null.",
    ),
    Published(
        "P-V1-3",
        "reference",
        "POST creates a mapping; for an address that has one it is 400, code 1145, with "
        "the published text.",
    ),
    Published(
        "P-V1-4",
        "reference",
        "PATCH creates or replaces a mapping, and returns the complete list.",
    ),
    Published("P-V1-5", "reference", "GET without a mapping is 404, code 1142."),
    Published(
        "P-V1-6",
        "reference",
        "DELETE returns the removed mapping; without a mapping it is 404, code 1163.",
    ),
    Published(
        "P-V1-7",
        "reference",
        "Batches are PATCH and DELETE; if nothing was applied, modified_on is null.",
    ),
    Published(
        "P-V1-8",
        "docs",
        "An invalid address is code 1146, an unknown region 1157, a full zone 403 and 1164.",
    ),
    Published("P-V1-9", "docs", "v1 and v2 serve the same data."),
    Published("P-V1-10", "reference", "v1 is deprecated and was to end on 2026-10-01."),
    Published("P-AUTH-1", "reported", "No credential: 400, code 9106, with its text."),
    Published(
        "P-AUTH-2",
        "reported",
        "A malformed bearer token: 400, code 6003, with 6111 in the chain.",
    ),
    Published(
        "P-AUTH-3",
        "reported",
        "A malformed key or email: 400, code 6003, with 6103 or 6102 in the chain.",
    ),
    Published("P-AUTH-4", "reported", "Only one of key and email: 400, codes 9106 and 9107."),
    Published("P-AUTH-5", "reported", "An unknown email or a wrong key: 403, code 9103."),
    Published("P-AUTH-6", "reported", "An unknown token on a product's routes: 401, code 10000."),
    Published(
        "P-AUTH-7",
        "reported",
        "An unknown token on /zones and /accounts: 403, code 9109, Invalid access token.",
    ),
    Published(
        "P-AUTH-8",
        "reported",
        "Verification of an unknown token: 401, code 1000, Invalid API Token.",
    ),
    Published("P-AUTH-9", "reported", "A token without the permission: 403, code 10000."),
    Published(
        "P-AUTH-10",
        "reported",
        "A token used from an address that it does not allow: 403, code 9109, with a text"
        " that has the address.",
    ),
    Published("P-AUTH-11", "reported", "Too many invalid credentials: code 10502."),
    Published(
        "P-ROUTE-1",
        "reported",
        "An unknown route, or a malformed zone ID: 400, codes 7003 and 7000 with their texts.",
    ),
    Published(
        "P-ROUTE-2",
        "reported",
        "A method that a path does not support: 405, code 7001, with its text; OPTIONS too.",
    ),
    Published("P-ROUTE-3", "reported", "Malformed JSON: code 6007."),
    Published(
        "P-RATE-1",
        "docs",
        "A user has 1,200 requests in five minutes, tokens and key together; above that "
        "all calls are refused for five minutes.",
    ),
    Published("P-RATE-2", "docs", "An address has 200 requests a second."),
    Published(
        "P-RATE-3",
        "docs",
        "The headers Ratelimit and Ratelimit-Policy have the remaining and the allowed requests.",
    ),
    Published("P-RATE-4", "docs", "A 429 has Retry-After."),
    Published("P-RATE-5", "reported", "A 429 has code 971 with its text."),
    Published("P-RATE-6", "client", "The clients' own retries succeed."),
    Published(
        "P-TOKEN-1",
        "reference",
        "verify returns id, status, expires_on and not_before, and needs no permission.",
    ),
    Published("P-TOKEN-2", "reported", "verify of an active token has a message with code 10000."),
    Published("P-TOKEN-3", "reference", "Tokens are listed, created, read, replaced and removed."),
    Published(
        "P-TOKEN-4",
        "reference",
        "The secret is only in the response to the creation, as value.",
    ),
    Published(
        "P-TOKEN-5",
        "reference",
        "PUT of value creates a new secret and invalidates the old one.",
    ),
    Published(
        "P-TOKEN-6",
        "reference",
        "A policy has id, effect, resources and permission_groups; at least one policy is needed.",
    ),
    Published(
        "P-TOKEN-7",
        "reference",
        "condition.request_ip has in and not_in, lists of CIDR prefixes.",
    ),
    Published(
        "P-TOKEN-8",
        "reference",
        "not_before and expires_on limit the time in which a token is valid; its status "
        "is active, disabled or expired.",
    ),
    Published("P-TOKEN-9", "reference", "A name has up to 120 characters."),
    Published(
        "P-TOKEN-10",
        "reference",
        "The list has page, per_page, direction and include_expired.",
    ),
    Published(
        "P-TOKEN-11",
        "reference",
        "permission_groups can be filtered by name and scope, and has the published IDs.",
    ),
    Published("P-TOKEN-12", "reference", "An account has the same operations for its own tokens."),
    Published(
        "P-TOKEN-13",
        "reported",
        "Verification of an account token on the route of the user is code 1000.",
    ),
    Published("P-TOKEN-14", "reported", "An unknown token ID is code 1003, a malformed one 7003."),
    Published(
        "P-ZONE-1",
        "reference",
        "Zones are filtered by name (with operators), status, type, account.id and "
        "account.name; match is any or all.",
    ),
    Published(
        "P-ZONE-2",
        "reference",
        "Zones are ordered by name, status, account.id, account.name or plan.id, in "
        "either direction, and paged.",
    ),
    Published("P-ZONE-3", "reference", "Internal zones are listed only on request."),
    Published("P-ZONE-4", "reference", "A new zone is pending."),
    Published("P-ZONE-5", "reference", "A zone is changed one property at a time."),
    Published("P-ZONE-6", "reference", "DELETE of a zone returns its ID."),
    Published("P-ZONE-7", "client", "A zone has every member that the clients' models require."),
    Published(
        "P-ZONE-8",
        "reported",
        "Creating an existing zone is code 1061, an invalid name 1002, an unknown zone 9109.",
    ),
    Published(
        "P-ZONE-9",
        "client",
        "Terraform's provider needs two name_servers of a full or secondary zone, and a "
        "verification_key of a partial one.",
    ),
    Published(
        "P-ZONE-10",
        "client",
        "vanity_name_servers are set by POST and PATCH, and returned.",
    ),
    Published(
        "P-ZONE-11",
        "client",
        "A zone created with a name in Unicode is returned with that name.",
    ),
    Published(
        "P-SET-1",
        "reference",
        "Tiered Cache is read, and set with value on or off; the response has id, "
        "editable, value and modified_on.",
    ),
    Published(
        "P-SET-2",
        "client",
        "Smart Tiered Cache can also be created, set and removed; the response to its "
        "removal has no value.",
    ),
    Published("P-SET-3", "reference", "Regional Tiered Cache has the ID tc_regional."),
    Published("P-ACC-1", "reference", "Accounts can be listed and read, the user can be read."),
    Published(
        "P-ACC-2",
        "reference",
        "The audit log has action, actor, resource, owner, old and new value and when, "
        "with the published filters.",
    ),
    Published(
        "P-ACC-3",
        "reported",
        "Creating an account is 403, 1002, Forbidden. Account creation is not allowed.",
    ),
)
