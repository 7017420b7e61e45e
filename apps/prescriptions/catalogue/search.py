"""Which drugs a search may mean, the likeliest first."""

from dataclasses import dataclass

from django.db.models import Case, IntegerField, When
from django.db.models.functions import Length

from apps.access.actor import Actor
from apps.common.spelling import begins, corrected
from apps.prescriptions.catalogue.words import words
from apps.prescriptions.models import Drug, DrugWord
from apps.prescriptions.models.catalogue import DrugQuerySet


@dataclass(frozen=True, slots=True)
class Found:
    """The drugs in order. `fuzzy`: no drug matched as spelt, and drugs of similar spellings are shown."""

    rows: DrugQuerySet
    fuzzy: bool = False


def find(*, visible_to: Actor, text: str = "", with_not_offered: bool = False) -> Found:
    """Returns the drugs that have a word which begins so for every word of the text: generic name, brand, strength, form.

    A drug whose name begins with the text comes first, then drugs whose generic name does, then short names before long ones. A
    word that begins no known word is read as the most similar one. Without text, all by name.
    """
    rows = Drug.objects.visible_to(visible_to).defer("words")
    if not with_not_offered:
        rows = rows.filter(is_offered=True)
    if not text.strip():
        return Found(rows.order_by("name", "id"))
    typed = words(text)
    if not typed:
        return Found(rows.none())
    wanted = corrected(DrugWord, typed)
    beginning = " ".join(text.lower().split())
    rank = Case(
        When(name__istartswith=beginning, then=0),
        When(generic_name__istartswith=wanted[0] if len(wanted) == 1 else beginning, then=1),
        default=2,
        output_field=IntegerField(),
    )
    matches = rows.filter(words=begins([(word,) for word in wanted]))
    ordered = matches.order_by(rank, Length("generic_name"), "name", "id")
    return Found(ordered, fuzzy=set(wanted) != set(typed) and matches.exists())
