"""Responses of the code systems."""

from rest_framework import serializers

from apps.rest.response_serializers import ResponseSerializer


class IcdCodeShape(ResponseSerializer):
    """A code of ICD-10-CM. A header (`billable` false) groups the codes below it and is not valid on a claim."""

    code = serializers.CharField(max_length=8, help_text="With its dot, like E11.9")
    display = serializers.CharField(max_length=300)
    billable = serializers.BooleanField(help_text="It has no codes below it, so it is valid on a claim")
