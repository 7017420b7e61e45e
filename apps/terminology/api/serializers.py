"""Responses of the code systems."""

from rest_framework import serializers

from apps.terminology.models import IcdCode


class IcdCodeShape(serializers.ModelSerializer[IcdCode]):
    """A code of ICD-10-CM. A header (`billable` false) groups the codes below it and is not valid on a claim."""

    class Meta:
        model = IcdCode
        fields = ("code", "display", "billable")
