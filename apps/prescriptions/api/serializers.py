"""Request bodies and replies of the catalogue."""

from decimal import Decimal

from django.core.validators import RegexValidator
from rest_framework import serializers

from apps.prescriptions.catalogue.selectors import DrugDetails
from apps.prescriptions.models import DrugIngredient, KnowledgeEntry, Schedule
from apps.prescriptions.safety.facts import Severity
from apps.rest.response_serializers import ResponseSerializer
from apps.rest.serializers import LineField, StrictSerializer

SEVERITIES = [(one.value, one.value) for one in Severity]
_NAMES_MAX = 20
_SCHEDULES = [(value, label) for value, label in Schedule.choices if value]


class _KeptFields(StrictSerializer):
    brand_names = serializers.ListField(child=LineField(max_length=120), max_length=_NAMES_MAX, required=False)
    schedule = serializers.ChoiceField(
        choices=_SCHEDULES, required=False, allow_blank=True, help_text="Of a controlled substance (21 CFR 1308); else empty"
    )
    use = LineField(max_length=120, required=False, allow_blank=True)


class NewDrugBody(_KeptFields):
    """A drug that the catalogue does not have. Strength, form and route are read from its name."""

    name = LineField(max_length=300, help_text="In RxNorm's form: Lisinopril 10 MG Oral Tablet")
    rxcui = LineField(
        max_length=8,
        required=False,
        allow_blank=True,
        validators=[RegexValidator(r"^[0-9]*$", "Write the number alone, of at most 8 digits.")],
    )
    ingredients = serializers.ListField(
        child=LineField(max_length=120),
        max_length=_NAMES_MAX,
        required=False,
        help_text="Their generic names, where the name has only a brand",
    )


class ChangeDrugBody(_KeptFields):
    """Absent fields stay unchanged. Another strength or form is another drug."""

    is_offered = serializers.BooleanField(required=False)


class IngredientShape(ResponseSerializer):
    """An ingredient of a drug, with its strength if it is known: `amount` in every `per` of the product."""

    name = serializers.CharField(source="ingredient.name")
    amount = serializers.FloatField(allow_null=True)
    amount_unit = serializers.CharField(allow_blank=True)
    per = serializers.FloatField(allow_null=True)
    per_unit = serializers.CharField(allow_blank=True)

    @staticmethod
    def get_amount(part: DrugIngredient) -> Decimal | None:
        return _plain(part.amount)

    @staticmethod
    def get_per(part: DrugIngredient) -> Decimal | None:
        return _plain(part.per)


class DrugShape(ResponseSerializer):
    """A drug of the catalogue: ingredients, strength and form."""

    id = serializers.UUIDField(source="row.pk")
    rxcui = serializers.CharField(source="row.rxcui", allow_null=True)
    name = serializers.CharField(source="row.name")
    generic_name = serializers.CharField(source="row.generic_name")
    brand_names = serializers.ListField(source="row.brand_names", child=serializers.CharField())
    strength = serializers.CharField(source="row.strength", allow_blank=True)
    form = serializers.CharField(source="row.form", allow_blank=True)
    route = serializers.CharField(source="row.route", allow_blank=True)
    unit = serializers.CharField(source="row.unit", allow_blank=True)
    schedule = serializers.ChoiceField(source="row.schedule", choices=_SCHEDULES, allow_blank=True)
    use = serializers.CharField(source="row.use", allow_blank=True)
    is_offered = serializers.BooleanField(source="row.is_offered")
    ingredients = IngredientShape(many=True)
    classes = serializers.ListField(child=serializers.CharField())
    updated_at = serializers.DateTimeField(source="row.updated_at")

    @staticmethod
    def get_classes(drug: DrugDetails) -> list[str]:
        return list(drug.classes)


class InteractionShape(ResponseSerializer):
    """Two drugs or classes that interact. A class is written `class:maoi`."""

    id = serializers.UUIDField()
    a = serializers.CharField()
    b = serializers.CharField()
    severity = serializers.ChoiceField(choices=SEVERITIES)
    effect = serializers.CharField()
    management = serializers.CharField(allow_blank=True)
    routes = serializers.ListField(child=serializers.CharField())
    source = serializers.CharField()  # type: ignore[assignment]  # DRF has an attribute so called
    reviewed_at = serializers.DateTimeField(allow_null=True)

    @staticmethod
    def get_a(row: KnowledgeEntry) -> str:
        return str(row.data["a"])

    @staticmethod
    def get_b(row: KnowledgeEntry) -> str:
        return str(row.data["b"])

    @staticmethod
    def get_severity(row: KnowledgeEntry) -> str:
        return str(row.data["severity"])

    @staticmethod
    def get_effect(row: KnowledgeEntry) -> str:
        return str(row.data["effect"])

    @staticmethod
    def get_management(row: KnowledgeEntry) -> str:
        return str(row.data["management"])

    @staticmethod
    def get_routes(row: KnowledgeEntry) -> list[str]:
        return [one.strip() for one in row.data["routes"].split(";") if one.strip()]


def _plain(number: Decimal | None) -> Decimal | None:
    """Returns the number without trailing zeros: a table stores 10.000000."""
    return None if number is None else Decimal(f"{number.normalize():f}")
