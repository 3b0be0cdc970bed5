"""Questions that nothing published answers. An ID never changes its meaning."""

from originmap.conformance.fact import Unknown

UNKNOWN = (
    Unknown(
        "U-1",
        "What is the text of code 1163, and does the DELETE of v2 ever return it?",
        ("D-1", "D-24"),
    ),
    Unknown("U-2", "What is the status of code 1157, and of errors about pages?", ("D-2",)),
    Unknown("U-3", "What is the error for an invalid page?", ("D-3",)),
    Unknown("U-4", "What is the error for an invalid address in the path?", ("D-4",)),
    Unknown(
        "U-5",
        "What is the response to a batch that is empty, too long, not an array, or absent?",
        ("D-5", "D-33"),
    ),
    Unknown("U-6", "What are the texts of failed items of a batch?", ("D-6",)),
    Unknown("U-7", "What happens to an address that is in a batch twice?", ("D-7",)),
    Unknown(
        "U-8",
        "Is a batch that crosses the limit refused as a whole, as its example suggests?",
        ("D-8",),
    ),
    Unknown(
        "U-9",
        "Does an identical PUT change modified_on? Which modified_on do the items of a batch have?",
        ("D-9", "D-20"),
    ),
    Unknown("U-10", "Are path and body compared as text or as addresses?", ("D-10",)),
    Unknown("U-11", "Is the case of vendor and region significant?", ("D-11",)),
    Unknown(
        "U-12",
        "How are IPv4-mapped, private, multicast and other special addresses treated?",
        ("D-12", "D-13", "D-14", "D-53"),
    ),
    Unknown("U-13", "What is the order of the list?", ("D-15",)),
    Unknown(
        "U-14",
        "What is the response of supported_regions if Tiered Cache is off? Does PUT "
        "require Tiered Cache?",
        ("D-16",),
    ),
    Unknown("U-15", "Which regions are supported? The published example names three.", ()),
    Unknown("U-16", "Which permission do these routes require?", ("D-17",)),
    Unknown(
        "U-17",
        "What are the errors for malformed JSON, missing members and other content types?",
        ("D-18",),
    ),
    Unknown("U-18", "How precise are timestamps?", ("D-20",)),
    Unknown("U-19", "What do the v1 routes return since 2026-10-01?", ("D-21",)),
    Unknown("U-20", "What is the error for a well-formed zone ID that does not exist?", ("D-22",)),
    Unknown("U-21", "Do these routes return 401 or 403, and code 10000 or 9109?", ("D-23", "D-44")),
    Unknown("U-22", "What is the text of the 5xx of v1's batch DELETE?", ()),
    Unknown("U-23", "Does deny take precedence over allow?", ("D-25",)),
    Unknown(
        "U-24",
        "What are the real upper tiers of a region? They depend on latencies that are not"
        " published.",
        (),
    ),
    Unknown("U-25", "How do the hints of several origins of one load balancer combine?", ()),
    Unknown("U-26", "How long does a new token take to work everywhere?", ()),
    Unknown(
        "U-27",
        "When does v1 return codes 1140 and 1156, which are in its examples for 5xx?",
        (),
    ),
    Unknown("U-28", "Do responses have an ETag, and is If-Match supported?", ("D-54",)),
)
