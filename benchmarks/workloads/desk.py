"""The lists of the desk and the page of a visit, for each role: their statements, and the time that these take by themselves."""

import statistics
from collections.abc import Mapping

import psycopg
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.consultations.models import Consultation
from apps.sandbox.samples.staff import PASSWORD, STAFF
from benchmarks import databases, statements
from benchmarks.outcome import Row, at_most
from benchmarks.stage import Stage
from hims.launch.errors import CannotStart

REPEATS = 5
_SECOND_FACTOR = "mfa.user"


def run(stage: Stage) -> list[Row]:
    """The worst list of each role, and the page of a visit."""
    by_role = {user.role: user for user in User.objects.filter(username__in=_usernames()).order_by("-username")}
    small = databases.address(databases.name(stage.options.small))
    with psycopg.connect(stage.address, autocommit=True) as full, psycopg.connect(small, autocommit=True) as few:
        return [row for role, user in sorted(by_role.items()) for row in _rows(user, f"desk, {role}", full, few)]


def _usernames() -> list[str]:
    return [member.username for member in STAFF if member.username != _SECOND_FACTOR]


def _rows(user: User, name: str, full: psycopg.Connection, few: psycopg.Connection) -> list[Row]:
    client = signed_in(user.username)
    lists = opened(client, {model._meta.label: reverse(f"admin:{_url(model)}_changelist") for model in admin.site._registry})
    rows = [row(f"{name}: the worst of {len(lists)} lists", lists, full, few, most=15)] if lists else []
    visit = Consultation.objects.filter(status="completed").order_by("-started_at").values_list("pk", flat=True).first()
    page = opened(client, {"a visit": reverse("admin:consultations_consultation_change", args=[visit])})
    return [*rows, *([row(f"{name}: a visit", page, full, few, most=25)] if page else [])]


def signed_in(username: str) -> Client:
    """A browser of the desk. Raises CannotStart where the sign-in is refused."""
    client = Client(SERVER_NAME="127.0.0.1")
    client.post(reverse("admin:login"), {"username": username, "password": PASSWORD})
    if statements.capture_page(client, reverse("admin:index")) is None:
        raise CannotStart(f"{username} could not sign in to the desk.")
    return client


def _url(model: type) -> str:
    return f"{model._meta.app_label}_{model._meta.model_name}"  # type: ignore[attr-defined]


def opened(client: Client, paths: Mapping[str, str]) -> dict[str, list[str]]:
    """The statements of the pages that are open to the client, at their second opening."""
    seen = {
        name: (statements.capture_page(client, path), statements.capture_page(client, path))[1] for name, path in paths.items()
    }
    return {name: sent for name, sent in seen.items() if sent is not None}


def row(name: str, pages: Mapping[str, list[str]], full: psycopg.Connection, few: psycopg.Connection, *, most: int) -> Row:
    times = {page: _milliseconds(full, sent) for page, sent in pages.items()}
    slowest, longest = max(times, key=times.__getitem__), max(pages, key=lambda page: len(pages[page]))
    growth = times[slowest] / _milliseconds(few, pages[slowest])
    checks = [at_most("SQL", times[slowest], 10, " ms"), at_most("statements", len(pages[longest]), most)]
    checks.append(at_most("growth from a hundredth", growth, 1.2**2, "x"))
    return Row(name, growth=growth, checks=checks, notes=[f"slowest {slowest}, most statements {longest}."])


def _milliseconds(database: psycopg.Connection, sent: list[str]) -> float:
    """The median of the reads; what the page writes (the audit row, its session) is left out."""
    reads = [text for text in sent if text.lstrip().startswith("SELECT") and "FOR UPDATE" not in text]
    return statistics.median(statements.timed(database, reads) for _ in range(REPEATS))
