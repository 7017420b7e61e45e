"""The API of API keys. Only a signed-in person manages them: a key never creates, rotates or revokes a key."""

from functools import reduce
from operator import or_
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import Http404
from django_filters import FilterSet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.scopes import Scope
from apps.accounts import events, selectors, services
from apps.accounts.api import examples
from apps.accounts.models import ApiKey
from apps.accounts.rights import Permission
from apps.accounts.services import NewKey
from apps.common import clock
from apps.rest import paging
from apps.rest.endpoint import endpoint
from apps.rest.filters import ChoicesFilter
from apps.rest.response_serializers import ResponseSerializer
from apps.rest.serializers import InstantField, LineField, OnceField, StrictSerializer
from apps.rest.viewsets import HimsViewSet

KEY_SCOPES = [scope.value for scope in Scope]
KEY_STATES = ["active", "expired", "revoked"]


_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = f"{_OCTET}([.]{_OCTET}){{3}}(/(3[0-2]|[12]?[0-9]))?"
_IPV6 = "[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))?"


class NetworkField(serializers.CharField):
    """An IPv4 or IPv6 address, or a block of addresses."""

    json_schema: ClassVar[dict[str, Any]] = {"pattern": f"^({_IPV4}|{_IPV6})$"}


class KeyFilter(FilterSet):
    status = ChoicesFilter(method="in_state", choices=[(state, state) for state in KEY_STATES], help_text="Keys in this state")

    class Meta:
        model = ApiKey
        fields: list[str] = []

    def in_state(self, rows: QuerySet[ApiKey], name: str, value: list[str]) -> QuerySet[ApiKey]:
        is_revoked, is_expired = Q(revoked_at__isnull=False), Q(expires_at__isnull=False, expires_at__lte=clock.now())
        states = {"revoked": is_revoked, "expired": ~is_revoked & is_expired, "active": ~is_revoked & ~is_expired}
        return rows.filter(reduce(or_, (states[state] for state in value)))


class KeyBody(StrictSerializer):
    name = LineField(max_length=100, help_text="What the key is for")
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=KEY_SCOPES),
        allow_empty=False,
        max_length=100,
        help_text="What the key may do, within your own permissions. Write access does not include read access.",
    )
    expires_at = InstantField(required=False, allow_null=True, help_text="When the key expires; without it, never")
    allowed_cidrs = serializers.ListField(
        child=NetworkField(max_length=43),
        required=False,
        max_length=100,
        help_text="Addresses or blocks the key may be used from; without them, any address",
    )


class ApiKeyShape(ResponseSerializer):
    id = serializers.UUIDField()
    user_id = serializers.UUIDField(help_text="The owner, on whose behalf the key acts")
    name = serializers.CharField()
    prefix = serializers.CharField(help_text="The first characters of the key")
    last4 = serializers.CharField(help_text="The last characters of the key")
    status = serializers.ChoiceField(choices=KEY_STATES)
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=KEY_SCOPES))
    expires_at = serializers.DateTimeField(allow_null=True)
    allowed_cidrs = serializers.ListField(child=serializers.CharField())
    last_used_at = serializers.DateTimeField(allow_null=True, help_text="Exact to a minute")
    created_at = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField(allow_null=True)

    @staticmethod
    def get_status(key: ApiKey) -> str:
        return key.state(clock.now())


class MadeApiKeyShape(ApiKeyShape):
    key = OnceField(help_text="The key itself. This is the only time it is shown.")


class ApiKeyViewSet(HimsViewSet):
    """Keys for programs. A key acts for its owner, within its scopes, and stops working with the owner's account."""

    resource = "api_key"
    plural = "api_keys"
    tag = "API keys"

    @endpoint(permission=Permission.KEY_KEEP, query=KeyFilter, response=ApiKeyShape)
    def list(self, request: Request) -> Response:
        """List API keys

        Returns the caller's API keys, the newest first; administrators see the keys of all. The keys themselves are never
        shown again, only their first and last characters.
        """
        rows, _ = self.filtered(selectors.api_keys(visible_to=self.by))
        return self.page(paging.page_of(rows, self.window, paging.exact))

    @endpoint(permission=Permission.KEY_KEEP, response=ApiKeyShape, etag=True)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Read an API key

        Returns one API key without the key itself: its scopes, addresses, expiry and last use. A key of another person gets a
        404 unless the caller is an administrator.
        """
        return self.reply(_get_or_404(selectors.api_keys(visible_to=self.by), self.id_in_path()))

    def get_for_update(self) -> tuple[Any, object]:
        key = _get_or_404(selectors.api_keys(visible_to=self.by).select_for_update(of=("self",)), self.id_in_path())
        return self.represent(key), None

    @endpoint(
        permission=Permission.KEY_KEEP,
        request=KeyBody,
        response=MadeApiKeyShape,
        recent_login=True,
        example=examples.CREATE_KEY,
        refusals=(services.TooManyKeys,),
        events=(events.ApiKeyCreated,),
    )
    def create(self, request: Request) -> Response:
        """Create an API key

        Creates a key that acts for the caller within the given scopes and never beyond the caller's own rights. `key` is shown
        in this reply only. Write access does not include read access. A key never creates, rotates or revokes a key: this
        needs a person who has signed in.
        """
        issued = services.create_key(by=self.by, owner_id=self.by.id, new=NewKey(**_without_nulls(self.parse())))
        return self.reply(_with_text(issued), location=f"/v1/api-keys/{issued.key.pk}")

    @endpoint(
        permission=Permission.KEY_KEEP,
        response=MadeApiKeyShape,
        recent_login=True,
        operation_id="rotateApiKey",
        refusals=(services.OtherPersonsKey, services.KeyNotActive),
        events=(events.ApiKeyRotated,),
    )
    def rotate(self, request: Request, pk: str) -> Response:
        """Give an API key a new text

        Returns a new text for the key; the old text works for another 24 hours. Only the owner can rotate a key, because its
        text allows acting as the owner; an administrator can revoke it. A key that was revoked or has expired is refused.
        """
        return self.reply(_with_text(services.rotate_key(by=self.by, key_id=self.id_in_path())))

    @endpoint(
        permission=Permission.KEY_KEEP,
        response=ApiKeyShape,
        etag=True,
        operation_id="revokeApiKey",
        refusals=(services.AlreadyRevoked,),
        events=(events.ApiKeyRevoked,),
    )
    def destroy(self, request: Request, pk: str) -> Response:
        """Revoke an API key

        Revokes the key at once: the next request with it gets a 401. The row stays. The owner is notified if another person
        revoked it. A key that is already revoked is refused.
        """
        return self.reply(services.revoke_key(by=self.by, key_id=self.id_in_path()))


def _get_or_404(rows: QuerySet[ApiKey], key_id: UUID) -> ApiKey:
    key = rows.filter(pk=key_id).first()
    if key is None:
        raise Http404
    return key


def _with_text(issued: services.IssuedKey) -> ApiKey:
    """Returns a key that was just created or rotated, with its text as `key`."""
    vars(issued.key)["key"] = issued.text
    return issued.key


def _without_nulls(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}
