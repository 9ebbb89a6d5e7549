"""Values of which requests at random are made: good ones, and odd ones, by the type of a parameter.

As text they are for queries and for bodies; ``Raw`` is for bodies only.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.support.odd_values import ACCEPTED_TRANSIT, REFUSED_JSON, REFUSED_TRANSIT


class Raw(NamedTuple):
    """A value as it is on the wire, in Transit and in JSON."""

    transit: str
    json: str


class Pool(NamedTuple):
    """Values of one type."""

    good: list[Any]
    odd: list[Any]


_JSON = list(REFUSED_JSON.values())
ACCEPTED = [Raw(text, "1") for text in ACCEPTED_TRANSIT.values() if len(text) < 2000]
REFUSED = [
    Raw(text, _JSON[index % len(_JSON)])
    for index, text in enumerate(REFUSED_TRANSIT.values())
    if len(text) < 2000
]
TEXTS = Pool(
    ["a", "bike", "\U0001f600", "\x00", "\u2028", "~zNaN", "^0", "~#cmap", "%", "'", "true", "1,2",
     "5,", "has_any:a,b", "has_all:a", "none", "null"],
    ["", "x" * 20_000, "has_all:", "nan,", ",inf", "-1e400,1e400", ",", "1,2,3", "a,b,,c"],
)  # fmt: skip
TIMES = Pool(
    ["2026-01-01T00:00:00Z", "2027-03-28T03:30:00+02:00", "2026-12-01T10:15:00.123Z",
     "9999-12-31T23:30:00Z", "9999-12-31T23:59:59.999Z", "0001-01-01T00:00:00Z",
     "2026-01-01T00:00:00", "2026-W01-1T00:00Z"],
    ["0001-01-01T00:00:00+14:00", "+010000-01-01T00:00:00Z", "2026-01-01", "soon", "1e400", "",
     "9999-12-31T23:59:59.999-12:00", "2026-02-30T00:00:00Z"],
)  # fmt: skip
SPANS = [
    ("2026-12-01T00:00:00Z", "2026-12-20T00:00:00Z"),
    ("2027-03-27T23:30:00Z", "2027-03-28T03:30:00+02:00"),
    ("9999-12-31T20:00:00Z", "9999-12-31T23:59:59Z"),
    ("9999-12-31T23:59:00Z", "9999-12-31T23:59:59.999999Z"),
    ("0001-01-01T00:00:00Z", "0001-01-01T00:00:01Z"),
]
NUMBERS = Pool(
    ["0", "1", "2", "100", "999999999999999"],
    [
        "-1",
        "101",
        "1e400",
        "nan",
        "1.5",
        "9" * 16,
        "9" * 500,
        "1_0",
        "\u0663",
        "",
        "inf",
        "+1",
        " 1",
    ],
)
WHOLE = Pool([0, 1, 2, 5, 1000, 10**15 - 1], [-1, 10**15, 2**63, 10**400, True, 1.0, "1"])
POINTS = Pool(
    ["60,24", "-90,-180", "60.1,24.9", "91,181", "1e308,-1e308"],
    ["nan,1", "inf,-inf", "1e400,0", "60", "60,24,1", "a,b", ",", "1_0,2"],
)
BOXES = Pool(
    ["61,25,60,24", "90,-179,-90,179", "60,24,61,25"],
    ["nan,nan,nan,nan", "1e400,1,1,1", "1,2,3", ",,,"],
)
VARIANTS = Pool(
    ["w:320;h:240;fit:scale", "w:1", "h:1;fit:crop", "w:100000;h:1;fit:crop"],
    ["w:0;h:0", "w:-1", "w:" + "9" * 400, "w:nan", "fit:crop", "", ";;", "w", "w:1;w:2", "x:1"],
)
FIELDS = Pool(
    ["title", "publicData.a", "none", "publicData,publicData.a", "profile.publicData"],
    ["", ".", ","],
)
STATES = Pool(
    ["published", "closed", "draft", "pendingApproval", "accepted", "pending"], ["x", ","]
)
SORTS = Pool(
    [
        "createdAt",
        "-createdAt",
        "price",
        "pub_mixed",
        "-pub_mixed",
        "meta_mixed",
        "bookingStart",
        "keywords",
        "origin",
        "location",
        "-priv_tags",
        "prot_a",
    ],
    ["-", "x", "", "pub_", "--createdAt"],
)
FILTERS = ["pub_mixed", "pub_gears", "meta_mixed", "prot_a", "priv_tags", "pub_", "pub_\x00"]
MONEY = Pool(
    [
        {"amount": 5000, "currency": "EUR"},
        Raw('["~#mn",[5000,"EUR"]]', '{"amount":5000,"currency":"EUR"}'),
        {"amount": -1, "currency": "XXX"},
    ],
    [
        Raw('["~#mn",["~n9007199254740993","JPY"]]', '{"amount":9007199254740993}'),
        Raw('["~#mn",[1.5,"EUR"]]', '{"amount":1.5,"currency":"EUR"}'),
        Raw('["~#mn",[1,"\u20ac\u20ac\u20ac"]]', '{"amount":1,"currency":"\u20ac"}'),
        {"amount": 1},
    ],
)
PLACES = Pool(
    [
        {"lat": 60, "lng": 24},
        Raw('["~#geo",[60.17,24.94]]', '{"lat":60.17,"lng":24.94}'),
        Raw('["~#geo",[89.9,-180]]', '{"lat":-89.9,"lng":180}'),
    ],
    [
        Raw('["~#geo",["~zINF",1]]', '{"lat":1e400,"lng":1}'),
        Raw('["~#geo",[1e308,-1e308]]', '{"lat":1e308,"lng":-1e308}'),
        {"lat": "60", "lng": None},
    ],
)
PLANS = Pool(
    [
        None,
        {"type": "availability-plan/day", "entries": [{"dayOfWeek": "mon", "seats": 3}]},
        {
            "type": "availability-plan/time",
            "timezone": "Europe/Helsinki",
            "entries": [
                {"dayOfWeek": day, "seats": 2, "startTime": "00:00", "endTime": "00:00"}
                for day in ("mon", "tue", "fri", "sun")
            ],
        },
        {
            "type": "availability-plan/time",
            "timezone": "Pacific/Kiritimati",
            "entries": [{"dayOfWeek": "fri", "seats": 9, "startTime": "10:00", "endTime": "12:30"}],
        },
    ],
    [
        {},
        {
            "type": "availability-plan/time",
            "timezone": "Etc/UTC",
            "entries": [
                {"dayOfWeek": "mon", "seats": 2, "startTime": "10:00+02:00", "endTime": "12:00Z"}
            ],
        },
        {
            "type": "availability-plan/time",
            "timezone": "Etc/UTC",
            "entries": [
                {"dayOfWeek": "fri", "seats": 2, "startTime": "10:00:00.5", "endTime": "24:00"}
            ],
        },
        {"type": "availability-plan/time", "timezone": "\x00", "entries": []},
        {"type": "availability-plan/time", "timezone": "a/" * 3000, "entries": []},
        {"type": ["a"], "entries": {"dayOfWeek": 1}},
        {"type": "availability-plan/day", "entries": "mon"},
    ],
)
TRANSITIONS = Pool(
    ["transition/accept", "transition/decline", "transition/cancel", "transition/complete",
     "transition/update-details"],
    ["fly", "", "\x00"],
)  # fmt: skip
PERMISSIONS = Pool(["permission/allow", "permission/deny"], ["allow", ""])
# By the name of a parameter whose type is an ordinary string.
STRINGS = {
    "state": Pool(["published", "pendingApproval"], ["draft", ""]),
    "transition": TRANSITIONS,
    "mimeType": Pool(
        ["image/png", "text/plain; charset=\u00e9", "a\r\nb: c"], ["application/x-sh", ""]
    ),
    "email": Pool(["joe@example.com", "\u00e9@\u2028"], [""]),
    "postListings": PERMISSIONS,
    "initiateTransactions": PERMISSIONS,
    "read": PERMISSIONS,
    "availability": Pool(["day-full", "day-partial", "time-full", "time-partial"], ["x", ""]),
    "stockMode": Pool(["strict", "match-undefined"], ["x"]),
}
ODD_IDS = ["", "1", "x" * 300, "00000000-0000-4000-8000-000000000000", "\x00",
           "{00000003-0000-4000-8000-000000000001}"]  # fmt: skip
NUMBERS_TO_KEEP = [0, 1, -7, 2**53, 2**63 - 1, -(2**63), 0.1, -0.0, 5e-324, 1.7e308]
KEYS = ["mixed", "gears", "a", "", "~:a", "^ ", "tags", "x" * 300, "\u2028"]
GIF = b"GIF89a\x02\x00\x03\x00\x00\x00\x00"
FILES = Pool(
    [GIF, b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x05\x00\x00\x00\x06" + bytes(9)],
    [
        b"GIF89a\x00\x00\x00\x00\x00\x00\x00",
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\xff\xff\xff\xff\xff\xff\xff\xff" + bytes(9),
        b"\x89PNG",
        b"\xff\xd8\xff\xc0\x00\x00\x08",
        b"\xff\xd8" + b"\xff\xe0\x00\x00" * 50,
        b"",
    ],
)
HEADS = Pool(
    ['name="image"; filename="a.png"', 'name="image"; filename="\udcff.png"'],
    ['name="image"', 'name="other"', 'filename="x"', ""],
)
JUNK = [b"", b"\xff", b"\x00", b"[", b"}", b'"', b"~", b"^", b"\\ud800", b",,", b"9" * 30]
QUERY_JUNK = [b"&x=%ff", b"&page=%ED%A0%80", b"&%zz", b"\xff", b"&&=", b"=", b"#", b"%"]
