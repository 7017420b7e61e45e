"""Replies of the API's own resources."""

from rest_framework import serializers

from apps.rest.response_serializers import ResponseSerializer


class Version(ResponseSerializer):
    version = serializers.CharField(help_text="The product's version")
    api_version = serializers.CharField(help_text="The API's major version")
    environment = serializers.CharField()
    time_zone = serializers.CharField(help_text="IANA name of the clinic's time zone; it applies to dates without a time")
    time = serializers.DateTimeField()


class IndexLinks(ResponseSerializer):
    api = serializers.URLField(help_text="This index")
    openapi = serializers.URLField(help_text="The OpenAPI file")
    documentation = serializers.URLField(help_text="The developer pages")
    error_codes = serializers.URLField(help_text="All error codes, and what to do about each")
    changelog = serializers.URLField(help_text="What changed")


class Index(ResponseSerializer):
    version = serializers.CharField(help_text="The product's version")
    api_version = serializers.CharField(help_text="The API's major version")
    links = IndexLinks()
