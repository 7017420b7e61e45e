"""The catalogue: ingredients with their classes, and the drugs that a prescriber may choose."""

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q

from apps.access.actor import Actor
from apps.common.models import BaseModel, ClosedQuerySet
from apps.prescriptions.rights import Permission


class Schedule(models.TextChoices):
    """A controlled substance's schedule in the United States (21 CFR 1308). Schedule I is never prescribed."""

    NONE = "", "not controlled"
    II = "II", "II"
    III = "III", "III"
    IV = "IV", "IV"
    V = "V", "V"


class DrugClass(BaseModel):
    """A group of ingredients that act alike or are metabolized alike, like `penicillin` or `cyp3a4_inhibitor_strong`."""

    code = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120, help_text="As a warning says it: penicillins")

    class Meta:
        ordering = ("code",)
        verbose_name = "drug class"
        verbose_name_plural = "drug classes"

    def __str__(self) -> str:
        return self.name


class Ingredient(BaseModel):
    """An active ingredient, by its generic name in small letters. A salt counts as its base."""

    name = models.CharField(max_length=120, unique=True)
    rxcui = models.CharField(max_length=8, unique=True, null=True, blank=True, help_text="RxNorm's concept of the type IN")
    classes = models.ManyToManyField(DrugClass, through="IngredientClass", related_name="+")

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class IngredientClass(BaseModel):
    """An ingredient in a class, with the source that says so."""

    ingredient = models.ForeignKey(Ingredient, on_delete=models.PROTECT, related_name="+", db_index=False)
    drug_class = models.ForeignKey(DrugClass, on_delete=models.PROTECT, related_name="+")
    source = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ingredient", "drug_class"], name="ingredient_once_in_a_class")]
        verbose_name = "ingredient of a class"
        verbose_name_plural = "ingredients of classes"

    def __str__(self) -> str:
        return f"{self.ingredient_id} in {self.drug_class_id}"


class Brand(BaseModel):
    """A brand name, with the ingredients that it means: an allergy to Augmentin is one to each of its ingredients."""

    key = models.CharField(max_length=120, unique=True, help_text="the name in small letters")
    name = models.CharField(max_length=120)
    ingredients = models.ManyToManyField(Ingredient, related_name="+")

    class Meta:
        ordering = ("key",)

    def __str__(self) -> str:
        return self.name


class DrugQuerySet(ClosedQuerySet["Drug"]):
    def visible_to(self, actor: Actor) -> Self:
        """Returns the whole catalogue to those who may look drugs up."""
        return self.all() if actor.has_permission(Permission.DRUG_VIEW) else self.none()


class Drug(BaseModel):
    """A drug as it is prescribed: ingredients, strength and form. RxNorm calls it a clinical drug (SCD, SBD).

    All but brands, schedule and use is read from `rxnorm_name` (`catalogue.rxnorm_names`). `unit` is what the drug is counted in
    when it is dispensed and in stock. One that is not offered stays readable: old prescriptions and charts refer to it.
    """

    rxcui = models.CharField("RxCUI", max_length=8, unique=True, null=True, blank=True)
    rxnorm_name = models.CharField(
        "name in RxNorm’s form", max_length=300, unique=True, help_text="Like Lisinopril 10 MG Oral Tablet"
    )
    name = models.CharField(max_length=300)  # as pages show it, with tall-man letters: hydrOXYzine 25 mg tablet
    generic_name = models.CharField(max_length=300)
    brand_names = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    strength = models.CharField(max_length=120, blank=True)  # 10 mg; 250 mg/5 mL
    form = models.CharField(max_length=60, blank=True)
    route = models.CharField(max_length=30, blank=True)
    unit = models.CharField(max_length=20, blank=True)
    schedule = models.CharField(max_length=3, choices=Schedule, default=Schedule.NONE, blank=True)
    use = models.CharField(max_length=120, blank=True, help_text="what it is for, in plain words: blood pressure")
    is_offered = models.BooleanField("can be prescribed", default=True)
    source = models.CharField(max_length=200)
    words = SearchVectorField(editable=False)

    objects = DrugQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(schedule__in=Schedule.values), name="drug_schedule_known"),
            models.CheckConstraint(condition=Q(name__regex=r"\S"), name="drug_has_name"),
            models.CheckConstraint(
                condition=Q(is_offered=False) | (~Q(form="") & ~Q(route="") & ~Q(unit="")), name="drug_offered_is_whole"
            ),
        ]
        indexes = [GinIndex(fields=["words"], name="drug_words"), models.Index(fields=["name", "id"], name="drug_by_name")]
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name


class DrugWord(models.Model):
    """A word that some drug is found by. A search word that begins none of them is a slip of the keyboard."""

    word = models.CharField(primary_key=True, max_length=100, db_collation="C")

    class Meta:
        indexes = [GinIndex(OpClass(F("word"), name="gin_trgm_ops"), name="drug_word_trigrams")]
        verbose_name = "search word of drugs"
        verbose_name_plural = "search words of drugs"

    def __str__(self) -> str:
        return self.word


class DrugIngredient(BaseModel):
    """An ingredient of a drug, with its strength where it is known: `amount` in every `per` of the product."""

    drug = models.ForeignKey(Drug, on_delete=models.PROTECT, related_name="+", db_index=False)
    ingredient = models.ForeignKey(Ingredient, on_delete=models.PROTECT, related_name="+")
    amount = models.DecimalField(max_digits=14, decimal_places=6, null=True, blank=True)
    amount_unit = models.CharField(max_length=12, blank=True)
    per = models.DecimalField(max_digits=10, decimal_places=3, null=True, blank=True)
    per_unit = models.CharField(max_length=20, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["drug", "ingredient"], name="ingredient_once_in_a_drug"),
            models.CheckConstraint(
                condition=Q(amount=None, per=None) | Q(amount__isnull=False, per__isnull=False, amount__gt=0, per__gt=0),
                name="drug_strength_whole_and_positive",
            ),
        ]
        verbose_name = "ingredient of a drug"
        verbose_name_plural = "ingredients of drugs"

    def __str__(self) -> str:
        return f"{self.ingredient_id} in {self.drug_id}"
