"""Deprecated operations: one table, from which headers, the OpenAPI file and the developer pages are made.

An operation works for at least twelve months from its announcement (section 16.2 of the reference). With a row that promises
less, the system does not start. Headers: the reference's three (16.3) and their standard equivalents, RFC 9745 (Deprecation), RFC
8594 (Sunset) and RFC 8288 (Link). An app registers the rows of its own routes with `declare`.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from email.utils import format_datetime

from django.http import HttpRequest
from django.http.response import HttpResponseBase

PAGE = "/developers/deprecations"
LEAST_MONTHS = 12


class TooSoon(ValueError):
    """A sunset less than twelve months after its announcement."""


@dataclass(frozen=True, kw_only=True)
class Deprecation:
    """A deprecated operation. `path` is as in the OpenAPI file; `successor` is the path to use instead, if there is one."""

    method: str
    path: str
    announced: date
    sunset: date
    note: str
    successor: str = ""

    def __post_init__(self) -> None:
        least = _later(self.announced, LEAST_MONTHS)
        if self.sunset < least:
            raise TooSoon(
                f"{self.method} {self.path} ends on {self.sunset}; announced on {self.announced}, it works until {least}"
            )

    @property
    def route(self) -> str:
        """The path as Django's router writes it."""
        return "v1" + re.sub(r"{(\w+)}", r"<str:\1>", self.path)

    @property
    def anchor(self) -> str:
        """The anchor on the page of deprecations."""
        return re.sub(r"\W+", "-", f"{self.method} {self.path}").strip("-").lower()

    def headers(self) -> dict[str, str]:
        """Returns the headers of every reply of the operation."""
        links = [f'<{PAGE}#{self.anchor}>; rel="deprecation"; type="text/html"']
        links += [f'</v1{self.successor}>; rel="successor-version"'] if self.successor else []
        return {
            "X-API-Deprecated": self.note,
            "X-API-Sunset": self.sunset.isoformat(),
            "Deprecation": f"@{int(_midnight(self.announced).timestamp())}",
            "Sunset": format_datetime(_midnight(self.sunset), usegmt=True),
            "Link": ", ".join(links),
        }


_table: dict[tuple[str, str], Deprecation] = {}

ROWS: tuple[Deprecation, ...] = ()  # nothing of v1 itself is deprecated yet


def declare(*rows: Deprecation) -> None:
    """Add rows to the table."""
    _table.update({(row.method, row.route): row for row in rows})


def listed() -> list[Deprecation]:
    """Returns all rows, in the order of their sunsets."""
    return sorted(_table.values(), key=lambda row: (row.sunset, row.path, row.method))


def of(method: str, path: str) -> Deprecation | None:
    """Returns the row of an operation by its path, with or without the version; None if it is not deprecated."""
    return next((row for row in _table.values() if (row.method, row.path) == (method, path.removeprefix("/v1"))), None)


def write_headers(request: HttpRequest, response: HttpResponseBase) -> None:
    """Adds the headers of a deprecated operation to the reply. The Link header of a page keeps its own links."""
    if not _table or request.resolver_match is None:
        return
    method = "GET" if request.method == "HEAD" else request.method or ""
    row = _table.get((method, request.resolver_match.route))
    if row is None:
        return
    headers = row.headers()
    if "Link" in response.headers:
        headers["Link"] = f"{response.headers['Link']}, {headers['Link']}"
    for name, value in headers.items():
        response.headers[name] = value


def _later(day: date, months: int) -> date:
    """Returns the same day so many months later; the first of the next month if there is no such day."""
    year, month = day.year + (day.month - 1 + months) // 12, (day.month - 1 + months) % 12 + 1
    try:
        return day.replace(year=year, month=month)
    except ValueError:
        return date(year, month + 1, 1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


declare(*ROWS)
