"""OpenAPI."""

from drf_spectacular.openapi import AutoSchema


class HimsSchema(AutoSchema):
    """With the envelope."""
