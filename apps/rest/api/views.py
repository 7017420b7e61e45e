"""The API's own resources: its version, and the reply for unknown routes."""

from typing import Any, NoReturn

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from apps.common import clock
from apps.common.errors import NotFound
from apps.rest.api import serializers
from apps.rest.endpoint import PUBLIC, endpoint
from apps.rest.viewsets import HimsViewSet


class VersionViewSet(HimsViewSet):
    """The version of HIMS, and the clinic's time zone."""

    resource = "version"
    data_key = ""

    @endpoint(permission=PUBLIC, response=serializers.Version, paged=False)
    def list(self, request: Request) -> Response:
        return self.ok(
            {
                "version": settings.HIMS_VERSION,
                "api_version": settings.API_VERSION,
                "environment": settings.HIMS_ENV,
                "time_zone": settings.CLINIC_TIME_ZONE,
                "time": clock.now(),
            }
        )


class NoRouteViewSet(HimsViewSet):
    """Every unknown path under /v1, and every other major version."""

    resource = "route"
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotFound(
            f"The path {request.path} does not exist in this API. The current version is /v1; see /developers/ for its paths."
        )

    @endpoint(permission=PUBLIC)
    def nowhere(self, request: Request, path: str = "") -> None:
        """Never reached."""
