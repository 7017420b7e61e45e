"""Stores, fills in and deletes drafts. A draft is no clinical record: the save of its form is what is audited."""

import json
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl
from uuid import UUID

from django.db import transaction

from apps.common import clock
from apps.common.errors import Invalid
from apps.desk.models import Draft

MOST_CHARACTERS = 200_000  # of one form, as JSON; a visit's longest section has about 40,000
MOST_DRAFTS = 200  # of one user; the oldest go first
_NEVER_STORED = ("password", "csrfmiddlewaretoken", "otp", "proof-")
_SECRETS = frozenset(("again", "code"))  # a password repeated; a code of an app, or of recovery
_CODED = "code_system"  # next to it, `code` is that of an entry in a chart
Fields = Mapping[str, Sequence[str]]


@transaction.atomic
def keep(*, user_id: UUID, path: str, fields: Fields, identity: str = "", fills_form: bool = False) -> Draft:
    """Stores what a user typed into a form, over what was stored before. Raises Invalid for a form that is too large."""
    cleaned = {name: [one.replace("\x00", "") for one in values] for name, values in fields.items() if _is_stored(name, fields)}
    if len(path) > 500 or len(identity) > 500 or len(json.dumps(cleaned)) > MOST_CHARACTERS:
        raise Invalid(field="fields", issue="The form is too large to be stored as a draft.")
    draft = Draft(user_id=user_id, path=path, identity=identity, fields=cleaned, fills_form=fills_form, updated_at=clock.now())
    changes = ["fields", "updated_at", *(["fills_form"] if fills_form else [])]
    Draft.objects.bulk_create([draft], update_conflicts=True, unique_fields=["user", "path", "identity"], update_fields=changes)
    surplus = Draft.objects.filter(user=user_id).order_by("-updated_at", "-id").values("pk")[MOST_DRAFTS:]
    Draft.objects.filter(pk__in=list(surplus.values_list("pk", flat=True))).delete()
    return draft


def fill_in(*, user_id: UUID, draft_id: int) -> None:
    """Shows the draft in its form from now on, whenever the page is opened."""
    Draft.objects.filter(user=user_id, pk=draft_id).update(fills_form=True)


def discard(*, user_id: UUID, draft_id: int) -> None:
    """Deletes a draft of the user."""
    Draft.objects.filter(user=user_id, pk=draft_id).delete()


def discard_saved(*, user_id: UUID, path: str, sent: Fields) -> None:
    """Deletes the drafts of a form that was saved: those of its address whose hidden fields were sent."""
    saved = [draft.pk for draft in Draft.objects.filter(user=user_id, path=path) if is_of_form(draft, sent)]
    if saved:
        Draft.objects.filter(pk__in=saved).delete()


def is_of_form(draft: Draft, hidden: Fields) -> bool:
    """Returns whether the draft belongs to the form with these hidden fields."""
    return all(value in hidden.get(name, ()) for name, value in parse_qsl(draft.identity, keep_blank_values=True))


def agrees(draft: Draft, hidden: Fields) -> bool:
    """Returns whether the form's hidden fields have the values with which it was typed: rows with one address have one each."""
    return all(sorted(draft.fields[name]) == sorted(values) for name, values in hidden.items() if name in draft.fields)


def _is_stored(name: str, fields: Fields) -> bool:
    """Returns whether the field holds what a user typed: no secrets, and no buttons, whose names begin with an underscore."""
    if name in _SECRETS and not (name == "code" and _CODED in fields):
        return False
    return not name.startswith("_") and not any(word in name.lower() for word in _NEVER_STORED)
