"""Renders JSON. Views pass plain values; money has two decimals, instants are RFC 3339 with Z."""

from decimal import Decimal
from typing import Any

import orjson
from django.utils.functional import Promise
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer

_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS | orjson.OPT_NON_STR_KEYS


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):  # orjson refuses Decimal; a fragment prints it exactly, never as a float
        return orjson.Fragment(format(value, "f"))
    if isinstance(value, str | Promise):  # text enums, texts that Django translates when they are shown
        return str(value)
    return _refuse(value)


def _refuse(value: Any) -> Any:
    raise TypeError(f"{type(value).__name__} cannot be rendered as JSON")


def dumps(value: Any) -> bytes:
    """Returns the value as JSON in UTF-8."""
    return orjson.dumps(value, default=_plain, option=_OPTIONS)


class EnvelopeRenderer(BaseRenderer):
    """`application/json`; the data is the complete envelope."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return b"" if data is None else dumps(data)


def accepting(media_type: str) -> list[BaseRenderer]:
    """Returns the renderers of an action that returns a file: it accepts clients of the file's type, and of JSON for its
    refusals."""
    file_renderer = EnvelopeRenderer()
    file_renderer.media_type = media_type
    return [file_renderer, EnvelopeRenderer()]


_ANYTHING = ("", "*/*", "application/json")


class Negotiation(DefaultContentNegotiation):
    """Skips parsing the Accept header in the usual cases, because there is only one renderer."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        if len(renderers) == 1 and request.META.get("HTTP_ACCEPT", "") in _ANYTHING:
            return renderers[0], renderers[0].media_type
        return super().select_renderer(request, renderers, format_suffix)
