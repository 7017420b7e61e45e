"""The OpenAPI file over the API: public, as it is, without the envelope."""

from django.http import HttpResponse
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from apps.developers.contract import openapi
from apps.rest.endpoint import PUBLIC, endpoint
from apps.rest.renderers import EnvelopeRenderer
from apps.rest.viewsets import HimsViewSet

_CACHE_CONTROL = "public, max-age=300"  # seconds; the file changes with a release only


class _Yaml(EnvelopeRenderer):
    """Renders refusals of the YAML file as JSON, which is valid YAML."""

    media_type = "application/yaml"
    format = "yaml"


class OpenApiViewSet(HimsViewSet):
    """The contract itself, for programs."""

    resource = "contract"
    schema = None

    def get_renderers(self) -> list[BaseRenderer]:
        return [_Yaml(), EnvelopeRenderer()] if self.action == "as_yaml" else [EnvelopeRenderer()]

    @endpoint(permission=PUBLIC)
    def as_json(self, request: Request) -> HttpResponse:
        return HttpResponse(openapi.as_json(), content_type="application/json", headers={"Cache-Control": _CACHE_CONTROL})

    @endpoint(permission=PUBLIC)
    def as_yaml(self, request: Request) -> HttpResponse:
        return HttpResponse(openapi.as_yaml(), content_type="application/yaml", headers={"Cache-Control": _CACHE_CONTROL})
