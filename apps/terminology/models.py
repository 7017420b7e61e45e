"""ICD-10-CM: its releases, and each code with the time it is valid in."""

from datetime import date
from typing import Self

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import DateField, F, Q, Subquery, Value
from django.db.models.functions import Greatest

from apps.common import clock
from apps.common.models import BaseModel

# A letter, two letters or digits, and up to four more behind a dot. The second is a digit everywhere but in QA0 (since 2026).
CODE_SHAPE = r"^[A-Z][0-9A-Z]{2}(\.[0-9A-Z]{1,4})?$"


_TITLES = (  # of ICD-10-CM, release 2026-04; long ones are shortened
    "Certain infectious and parasitic diseases (A00-B99)",
    "Neoplasms (C00-D49)",
    "Diseases of the blood and immune mechanism (D50-D89)",
    "Endocrine, nutritional and metabolic diseases (E00-E89)",
    "Mental, behavioral and neurodevelopmental disorders (F01-F99)",
    "Diseases of the nervous system (G00-G99)",
    "Diseases of the eye and adnexa (H00-H59)",
    "Diseases of the ear and mastoid process (H60-H95)",
    "Diseases of the circulatory system (I00-I99)",
    "Diseases of the respiratory system (J00-J99)",
    "Diseases of the digestive system (K00-K95)",
    "Diseases of the skin and subcutaneous tissue (L00-L99)",
    "Diseases of the musculoskeletal system and connective tissue (M00-M99)",
    "Diseases of the genitourinary system (N00-N99)",
    "Pregnancy, childbirth and the puerperium (O00-O9A)",
    "Conditions originating in the perinatal period (P00-P96)",
    "Congenital malformations and chromosomal abnormalities (Q00-QA0)",
    "Symptoms, signs and abnormal findings (R00-R99)",
    "Injury, poisoning and other external consequences (S00-T88)",
    "External causes of morbidity (V00-Y99)",
    "Factors influencing health status (Z00-Z99)",
    "Codes for special purposes (U00-U85)",
)
CHAPTERS = [(number, f"{number}. {title}") for number, title in enumerate(_TITLES, start=1)]


class IcdRelease(BaseModel):
    """A release that was loaded. Only the newest may be followed by another, so the codes' periods never cross."""

    name = models.CharField(max_length=20, unique=True, help_text="Year and month, like 2026-04")
    effective_from = models.DateField(unique=True, help_text="Its first date of service")
    source = models.CharField(max_length=200, help_text="The file or package it was read from")
    codes = models.PositiveIntegerField(help_text="How many codes it has, headers included")
    billable = models.PositiveIntegerField(help_text="How many of them are valid on a claim")
    loaded_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(billable__lte=F("codes")), name="icd_release_billable_are_codes")]
        verbose_name = "ICD-10-CM release"

    def __str__(self) -> str:
        return self.name


class IcdCodeQuerySet(models.QuerySet["IcdCode"]):
    """Codes, by the day they are asked for."""

    def valid_on(self, day: date) -> Self:
        """The codes of a date of service. Days before the oldest release loaded are answered by that release."""
        oldest = IcdRelease.objects.order_by("effective_from").values("effective_from")[:1]
        on = Greatest(Value(day, DateField()), Subquery(oldest))
        return self.filter(Q(effective_to=None) | Q(effective_to__gte=on), effective_from__lte=on)


class IcdCode(BaseModel):
    """A code or a header of codes, as it is meant from one day to another.

    A release that says the same of a code leaves its row; one that says something else ends it and begins another. That no two
    rows of a code share a day is watched by a trigger (migration 0002). `words` is what the code is found by (`rules.words`),
    with weight A the words of the display and the code itself, without a weight those of terms that the Tabular List includes.
    """

    code = models.CharField(max_length=8, db_collation="C", help_text="With its dot, like E11.9")
    display = models.CharField(max_length=300)
    billable = models.BooleanField(help_text="It has no codes below it, so it is valid on a claim")
    parent = models.CharField(max_length=8, blank=True, help_text="The code above it; empty for a category, like E11")
    block = models.CharField(max_length=8, help_text="The section it belongs to, like E08-E13")
    chapter = models.PositiveSmallIntegerField(choices=CHAPTERS)
    release = models.ForeignKey(
        IcdRelease, on_delete=models.PROTECT, related_name="+", help_text="The first release that contains it"
    )
    effective_from = models.DateField()
    effective_to = models.DateField(null=True, blank=True, help_text="The last day, inclusive; empty: until a release ends it")
    words = SearchVectorField(editable=False)

    objects = IcdCodeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(code__regex=CODE_SHAPE), name="icd_code_shape"),
            models.CheckConstraint(condition=Q(display__regex=r"\S"), name="icd_code_has_display"),
            models.CheckConstraint(condition=Q(chapter__range=(1, 22)), name="icd_code_chapter_known"),
            models.CheckConstraint(
                condition=Q(effective_to=None) | Q(effective_to__gte=F("effective_from")), name="icd_code_period_in_order"
            ),
            models.UniqueConstraint(fields=["code", "effective_from"], name="icd_code_once_a_release"),
            models.UniqueConstraint(fields=["code"], condition=Q(effective_to=None), name="icd_code_one_open_period"),
        ]
        indexes = [GinIndex(fields=["words"], name="icd_code_words")]
        ordering = ("code", "id")
        verbose_name = "ICD-10-CM code"

    def __str__(self) -> str:
        return f"{self.code} {self.display}"


class IcdWord(models.Model):
    """A word that some code or everyday term is found by. A search word that begins none of them is a slip of the keyboard."""

    word = models.CharField(primary_key=True, max_length=100, db_collation="C")

    class Meta:
        indexes = [GinIndex(OpClass(F("word"), name="gin_trgm_ops"), name="icd_word_trigrams")]
        verbose_name = "ICD-10-CM search word"

    def __str__(self) -> str:
        return self.word
