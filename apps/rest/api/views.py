"""The API's own resources: its index, its version, and the reply for unknown routes."""

from contextlib import suppress
from typing import Any, NoReturn

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from apps.common import clock
from apps.common.errors import Forbidden, Invalid, NotFound, Unauthenticated
from apps.rest.api import serializers
from apps.rest.endpoint import PUBLIC, endpoint
from apps.rest.viewsets import HimsViewSet


class VersionViewSet(HimsViewSet):
    """The version of HIMS, and the clinic's time zone."""

    resource = "version"
    data_key = ""

    @endpoint(permission=PUBLIC, response=serializers.Version, paged=False)
    def list(self, request: Request) -> Response:
        """Read the version

        Returns the version of the product and of the API, the kind of installation, and the clinic's time zone and time. It
        needs no sign-in.
        """
        return self.reply(
            {
                "version": settings.HIMS_VERSION,
                "api_version": settings.API_VERSION,
                "environment": settings.HIMS_ENV,
                "time_zone": settings.CLINIC_TIME_ZONE,
                "time": clock.now(),
            }
        )


class IndexViewSet(HimsViewSet):
    """The API's entry point."""

    resource = "index"
    tag = "Version"
    data_key = ""

    @endpoint(permission=PUBLIC, response=serializers.Index, paged=False, operation_id="getIndex")
    def list(self, request: Request) -> Response:
        """Read the index of the API

        Returns the version and the addresses to begin with: this API, its OpenAPI file, the documentation, the error codes and
        the changelog. It needs no sign-in.
        """
        base = settings.HIMS_BASE_URL
        links = {
            "api": f"{base}/v1",
            "openapi": f"{base}/v1/openapi.json",
            "documentation": f"{base}/developers/",
            "error_codes": f"{base}/developers/errors",
            "changelog": f"{base}/developers/changelog",
        }
        return self.reply({"version": settings.HIMS_VERSION, "api_version": settings.API_VERSION, "links": links})


class NoRouteViewSet(HimsViewSet):
    """Every unknown path under /v1, and every other major version."""

    resource = "route"
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> NoReturn:
        """Counts the request against the caller. If the credentials are invalid, the middleware counts it against the address."""
        with suppress(Unauthenticated, Forbidden, Invalid):
            self.perform_authentication(request)
            self._count(request)
        raise NotFound(
            f"The path {request.path} does not exist in this API. The current version is /v1; see /developers/ for its paths."
        )

    @endpoint(permission=PUBLIC)
    def nowhere(self, request: Request, path: str = "") -> None:
        """Never reached."""
