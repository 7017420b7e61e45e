"""Each action that the code audits has words."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation

from apps.desk.audit import actions
from apps.desk.kit.base import HimsModelAdmin
from apps.desk.kit.site import site
from apps.events import event

APPS = Path(actions.__file__).parent.parent.parent
FIXED = ("read", "history_read")  # what each model page audits


def modules() -> Iterator[ast.Module]:
    for path in sorted(APPS.rglob("*.py")):
        if not {"tests", "migrations"} & {*path.parts}:
            yield ast.parse(path.read_text())


def literal(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def of_module(tree: ast.Module) -> Iterator[str]:
    """Yields the actions that the module names: `action="…"`, and what it passes to `record_access`, with its pages' resource."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    resources = [
        literal(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "resource"
    ]
    for call in calls:
        yield from (literal(one.value) for one in call.keywords if one.arg == "action" and "." in literal(one.value))
        if isinstance(call.func, ast.Attribute) and call.func.attr == "record_access":
            for name in filter(None, map(literal, call.args[:2])):
                # Of a mixin, the resource is that of the page that uses it: any that has words will do.
                composed = [name] if "." in name else [f"{one}.{name}" for one in (*resources, *actions.OBJECTS)]
                yield next(filter(actions.known_words, composed), composed[0])


def existing() -> set[str]:
    """Returns the actions of the code, of all events, and of all model pages."""
    pages = [page for page in site._registry.values() if isinstance(page, HimsModelAdmin)]
    of_pages = {f"{page.resource}.{verb}" for page in pages for verb in (page.list_audit_action, *FIXED)}
    of_events = {name for name in event.all_names() if not name.startswith(("test.", "lamp."))}
    return of_pages | of_events | {name for tree in modules() for name in of_module(tree)}


def test_every_action_has_words() -> None:
    names = existing()
    assert {"patient.read", "consultation.completed", "session.started", "patient.merge_previewed"} <= names
    assert not sorted(name for name in names if not actions.known_words(name))


@pytest.mark.parametrize(
    ("action", "shown"),
    [
        ("chart.read", "Opened the chart"),
        ("patient.glass_broken", "Opened the record in an emergency"),
        ("appointment.created", "Booked an appointment"),
        ("appointment.searched", "Searched the appointments"),
        ("schedule.listed", "Looked at the doctors’ hours"),
        ("chart.asked_for", "Opened the form for a chart entry"),
        ("consultation.asked_for", "Opened the form for a visit"),
        ("series.asked_for", "Opened the form for a repeat booking"),
        ("waitlist.asked_for", "Opened the form for the waiting list"),
        ("waitlist.listed", "Looked at the waiting list"),
        ("user_session.replayed", "Sent the same request again"),
        ("lamp.lit", "lamp.lit"),
    ],
)
def test_an_action_reads_as_a_sentence(action: str, shown: str) -> None:
    assert actions.words(action) == shown


def test_an_action_is_found_by_its_words() -> None:
    assert "consultation.completed" in actions.actions_with("signed a VISIT")
    assert actions.actions_with("nothing like this") == []


def test_actions_are_in_the_language_of_the_page() -> None:
    with translation.override("es"):
        assert actions.words("chart.read") == "Abrió la historia clínica"
        assert actions.words("patient.merged") == "Unió dos historias"
        assert "consultation.completed" in actions.actions_with("firmó")
