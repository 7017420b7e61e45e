"""The API operation of the sandbox alone: a deprecated one, for testing a client."""

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.rights import Permission as AccountPermission
from apps.rest.endpoint import endpoint
from apps.rest.response_serializers import ResponseSerializer
from apps.rest.viewsets import HimsViewSet


class SampleShape(ResponseSerializer):
    message = serializers.CharField()


class DeprecatedViewSet(HimsViewSet):
    """An operation that is deprecated on purpose (sections 16.2 and 16.3 of the reference). Sandbox only."""

    resource = "sample"
    tag = "Sandbox"

    @endpoint(permission=AccountPermission.OWN_SESSION, response=SampleShape, operation_id="getDeprecatedSample")
    def retrieve(self, request: Request) -> Response:
        """Call a deprecated operation

        Returns a message and the headers of a deprecated operation (`Deprecation`, `Sunset`, `X-API-Deprecated`,
        `X-API-Sunset`, `Link`), so that a client can be tested against them. It exists in the sandbox only and works until its
        sunset.
        """
        return self.reply({"message": "This works until its sunset. The headers say when that is."})
