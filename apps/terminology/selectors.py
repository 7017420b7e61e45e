"""Which code is valid on a day, which may stand on a claim, and which codes somebody may mean."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.contrib.postgres.search import SearchQuery
from django.db.models import Case, IntegerField, Value, When
from django.db.models.functions import Length

from apps.terminology import rules
from apps.terminology.models import IcdCode, IcdCodeQuerySet, IcdRelease


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of a code on a date of service. `code` as the table has it (as it was sent, in capitals, where unknown);
    `is_billable` False for a header such as E11, which no claim takes.
    """

    code: str
    is_known: bool
    is_billable: bool
    display: str


def is_loaded(release: str) -> bool:
    """Whether the release of that name is in the table."""
    return IcdRelease.objects.filter(name=release).exists()


def any_loaded() -> bool:
    """Whether there are codes at all. One indexed read: the readiness check asks it often."""
    return IcdRelease.objects.exists()


def code(text: str, *, on: date) -> IcdCode | None:
    """The code on a date of service, or None. Blind to case, with or without its dot."""
    return IcdCode.objects.valid_on(on).filter(code=rules.dotted(text)).first()


def look_up(codes: Iterable[str], *, on: date) -> dict[str, Verdict]:
    """What each code is worth on a date of service, by the code as it was sent. One query."""
    asked = {text: rules.dotted(text) for text in codes}
    rows = {row.code: row for row in IcdCode.objects.valid_on(on).filter(code__in={*asked.values()}).defer("words")}
    return {text: _verdict(known, rows.get(known)) for text, known in asked.items()}


def search(text: str, *, on: date, billable: bool | None = None) -> IcdCodeQuerySet:
    """The codes of a day that somebody may mean: every word of the text begins a word of the display, or the code.

    The best first: the very code, codes that begin with the text, those that may be billed, short displays before long ones, and
    then by code. Without text, all in the order of their codes.
    """
    rows = IcdCode.objects.valid_on(on).defer("words")
    if billable is not None:
        rows = rows.filter(billable=billable)
    if not text.strip():
        return rows.order_by("code", "id")
    wanted = rules.sought(text)
    if not wanted:
        return rows.none()
    query = SearchQuery(" & ".join(f"'{word}':*" for word in wanted), config="simple", search_type="raw")
    return rows.filter(words=query).order_by(_nearness(rules.beginning(text)), "-billable", Length("display"), "code", "id")


def _nearness(beginning: str) -> Case | Value:
    """0 for the very code, 1 for one that begins so, 2 for the rest."""
    if not beginning:
        return Value(0, IntegerField())
    steps = (When(code=beginning, then=0), When(code__startswith=beginning, then=1))
    return Case(*steps, default=2, output_field=IntegerField())


def _verdict(code: str, row: IcdCode | None) -> Verdict:
    if row is None:
        return Verdict(code, is_known=False, is_billable=False, display="")
    return Verdict(row.code, is_known=True, is_billable=row.billable, display=row.display)
