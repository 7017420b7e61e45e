"""One operation of the OpenAPI file, from its view."""

import inspect
import re
from typing import Any, cast

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction
from rest_framework.serializers import BaseSerializer, CharField, ListField, ListSerializer

from apps.access import matrix
from apps.access.permissions import Permission
from apps.access.roles import STAFF
from apps.access.scopes import Scope
from apps.rest import deprecations, disclosure
from apps.rest.endpoint import PUBLIC
from apps.rest.limits import PER_MINUTE, WINDOW
from apps.rest.parsers import MergePatchParser
from apps.rest.schema import components, parameters, replies
from apps.rest.schema.examples import media
from apps.rest.serializers import AnyField, StrictSerializer

_VERBS = {"retrieve": "get", "create": "create", "update": "update", "partial_update": "patch", "destroy": "delete"}


class HimsSchema(AutoSchema):
    """Describes what a HimsViewSet declares."""

    view: Any

    def get_operation(self, *where: Any) -> dict[str, Any] | None:
        operation = super().get_operation(*where)
        if operation is not None:
            operation["security"] = self.get_auth()  # also if it is empty: public
        return operation

    def get_operation_id(self) -> str:
        """Returns names like `listPatients`, `createPatient`, `deactivatePatient`; `login` if the data has no key of its own."""
        view, action = self.view, self.view.action
        if view.endpoint.operation_id:
            return str(view.endpoint.operation_id)
        if action == "list" and view.endpoint.paged:
            return f"list{_pascal(view.plural)}"
        if action == "list":
            return f"get{_pascal(view.resource)}"
        resource = "" if view.data_key == "" else view.resource
        return _VERBS.get(action, _camel(action)) + _pascal(resource)

    def get_summary(self) -> str:
        docstring = self._docstring()
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", self.get_operation_id()).capitalize()
        return docstring.splitlines()[0].rstrip(".") if docstring else words

    def get_description(self) -> str:  # type: ignore[override]  # as drf-spectacular does
        limits = _how_often(self._rate_class())
        paragraphs = [
            *_prose(self._docstring()),
            _who(self.view),
            *_key_needs(self.view, self.method),
            limits,
            *_step_up(self.view),
            *_refusals(self.view),
            *_warnings(self.view),
            *_events(self.view),
        ]
        row = deprecations.of(self.method, self.path)
        return "\n\n".join([*paragraphs, f"**Ends** on {row.sunset}: {row.note}"] if row else paragraphs)

    def get_tags(self) -> list[str]:
        return [self.view.tag or (self.view.plural or self.view.resource).capitalize()]

    def get_auth(self) -> list[dict[str, list[str]]]:
        need = self.view.endpoint.permission
        if need is PUBLIC:
            return []
        keys: list[dict[str, list[str]]] = [{components.KEY_SECURITY: []}] if isinstance(need, Permission) and need.scope else []
        return [{components.SECURITY: []}, *keys]

    def get_extensions(self) -> dict[str, Any]:
        """Returns the same for programs: who may call it, how often, the reasons of its refusals, and its events."""
        need, rate_class = self.view.endpoint.permission, self._rate_class()
        limit = {"class": rate_class.value, "limit": PER_MINUTE[rate_class], "window": WINDOW}
        who: dict[str, Any] = {}
        if isinstance(need, Permission):
            who = {"x-permission": need.value, "x-roles": _holders(need), "x-required-scope": need.scope}
        reasons = [kind.reason for kind in self.view.endpoint.refusals]
        events = [kind.name for kind in self.view.endpoint.events]
        listed = {"x-reasons": reasons, "x-events": events}
        return who | {"x-rate-limit": limit} | {name: names for name, names in listed.items() if names}

    def get_serializer_name(self, serializer: BaseSerializer[Any], direction: str) -> str:
        """Returns the component's name: `PatientShape` becomes Patient."""
        return serializer.__class__.__name__.removesuffix("Shape")

    def _docstring(self) -> str:
        return inspect.getdoc(getattr(self.view, self.view.action)) or ""

    def _rate_class(self) -> Any:
        return self.view.rate_class(self.method)

    def _get_parameters(self) -> list[dict[str, Any]]:
        view, example = self.view, self.view.endpoint.example
        described = parameters.in_path(self.path, example.path if example else {})
        if view.endpoint.query:
            described += parameters.of_filters(view.endpoint.query)
        if view.endpoint.paged:
            described += parameters.of_pages(offset_allowed=view.endpoint.offset)
        return (
            described + parameters.of_sparse_fields(view, self.method) + parameters.of_preconditions(view, self.method, self.path)
        )

    def is_deprecated(self) -> bool:
        return deprecations.of(self.method, self.path) is not None

    def _get_request_body(self, direction: Direction = "request") -> dict[str, Any] | None:
        kind = self.view.endpoint.request
        if kind is None:
            return None
        component = self.resolve_serializer(getattr(kind, "documented_as", kind), direction)
        example = self.view.endpoint.example
        required = self.view.endpoint.creates or bool(component.schema.get("required"))
        content = media(component.ref, example.request if example else None)
        if self.method == "PATCH":
            content[MergePatchParser.media_type] = content["application/json"]
        return {"content": content, "required": required}

    def _get_response_bodies(self, direction: str = "response") -> dict[str, Any]:
        return replies.of(self)

    def _map_basic_serializer(self, serializer: Any, direction: str) -> dict[str, Any]:
        schema: dict[str, Any] = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]  # drf-spectacular states no types here
        if isinstance(serializer, StrictSerializer):
            schema["additionalProperties"] = False
        if not type(serializer).__doc__:  # drf-spectacular would use the parent's
            schema.pop("description", None)
        return schema

    def _map_serializer_field(self, field: AnyField, direction: str, bypass_extensions: bool = False) -> dict[str, Any]:
        """Adds the form of fields that read another one than their parent, such as a day for an instant, and the sizes that a
        body refuses."""
        schema: dict[str, Any] = super()._map_serializer_field(field, direction, bypass_extensions)  # type: ignore[no-untyped-call]  # drf-spectacular states no types here
        form = getattr(field, "json_schema", None)
        if form is not None:
            schema.pop("format", None)
        if part := getattr(field, "documented_as", None):
            schema = {"description": schema["description"]} if "description" in schema else {}
            reference = self.resolve_serializer(part, cast("Direction", direction)).ref
            return {**schema, "allOf": [reference]} if schema else reference
        return schema | (form or {}) | (_sizes(field) if _is_sent(field) else {})

    def _insert_field_validators(self, field: AnyField, schema: dict[str, Any]) -> None:
        """Describes a text that may be blank as a text, not as one of two choices, because generated clients read that better.
        A form that the field itself declares admits the blank text too."""
        super()._insert_field_validators(field, schema)  # type: ignore[no-untyped-call]  # drf-spectacular states no types here
        if getattr(field, "allow_blank", False) and "oneOf" in schema:
            filled = schema.pop("oneOf")[0]
            schema |= {name: value for name, value in filled.items() if name not in ("format", "pattern", "minLength")}
            schema |= getattr(field, "json_schema", {})


def _is_sent(field: AnyField) -> bool:
    """Returns whether the field belongs to a request's body, because those are strict."""
    parent = field.parent
    while parent is not None and not isinstance(parent, StrictSerializer):
        parent = parent.parent
    return parent is not None


def _sizes(field: AnyField) -> dict[str, int]:
    """Returns the sizes that DRF refuses without a validator: an empty text, an empty list, and a list of objects that is too
    long."""
    if isinstance(field, CharField) and not field.allow_blank:
        return {"minLength": max(1, field.min_length or 0)}
    if not isinstance(field, ListField | ListSerializer):
        return {}
    limits: Any = field  # DRF gives both kinds of list the same three
    least = limits.min_length or (0 if limits.allow_empty else 1)
    sizes = {"minItems": least, "maxItems": limits.max_length}
    return {name: size for name, size in sizes.items() if size}


def _prose(docstring: str) -> list[str]:
    """Returns the paragraphs below the first line, each as one line."""
    return [" ".join(paragraph.split()) for paragraph in docstring.split("\n\n")[1:]]


def _who(view: Any) -> str:
    need = view.endpoint.permission
    if not isinstance(need, Permission):
        return "**Who:** all callers."
    roles = _holders(need)
    named = "all staff" if len(roles) == len(STAFF) else ", ".join(role.replace("_", " ") for role in roles)
    more = "; the administrator too if the installation allows it (`HIMS_ADMIN_CLINICAL`)" if _by_setting(need) else ""
    return f"**Who:** {named}{more} (permission `{need.value}`)."


def _key_needs(view: Any, method: str) -> list[str]:
    need = view.endpoint.permission
    if not isinstance(need, Permission):
        return []
    scope = need.scope
    if scope is None:
        return ["**API key:** never; requires a person who has signed in."]
    return [" ".join([f"**API key:** with the scope `{scope}`.", *_key_sees(view, method, scope)])]


def _key_sees(view: Any, method: str, scope: Scope) -> list[str]:
    """Returns what a key that has only the required scope does not see (`disclosure`)."""
    kind = view.endpoint.response
    if kind is None:
        return []
    to_read = need.scope if (need := disclosure.permission_to_read(view, view.action)) else None
    if to_read and to_read != scope and method not in ("GET", "HEAD"):
        return [f"Without `{to_read}` as well, the reply contains only the id."]
    parts: dict[str, Any] = getattr(kind, "parts", {})
    fields_by_scope = {right.scope: [name for name, one in parts.items() if one is right] for right in parts.values()}
    return [
        f"Without `{more}` as well, the reply lacks {_listed(names)}." for more, names in fields_by_scope.items() if more != scope
    ]


def _listed(names: list[str]) -> str:
    return " and ".join(f"`{name}`" for name in names)


def _how_often(rate_class: Any) -> str:
    return f"**Rate limit:** {PER_MINUTE[rate_class]} requests a minute (class `{rate_class.value}`)."


def _step_up(view: Any) -> list[str]:
    rule = (
        "**Password:** must have been confirmed in this session within five minutes (`POST /auth/reauthenticate`); else 401 with "
    )
    otherwise = "`details.reason` `reauthentication_required`."
    if view.endpoint.recent_login:
        return [f"{rule}{otherwise}"]
    fields = " or ".join(f"`{name}`" for name in view.endpoint.recent_login_fields)
    return [f"**To change {fields}:** the password {rule.partition(' ')[2]}{otherwise}"] if fields else []


def _refusals(view: Any) -> list[str]:
    rows = [f"- {kind.status.value} `{kind.reason}`: {kind.message}" for kind in view.endpoint.refusals]
    return ["\n".join(["**Refusals** of this operation, by `details.reason`:", "", *rows])] if rows else []


def _warnings(view: Any) -> list[str]:
    codes = ", ".join(f"`{code}`" for code in view.endpoint.warnings)
    return [f"**Warnings:** {codes}."] if codes else []


def _events(view: Any) -> list[str]:
    names = ", ".join(f"`{kind.name}`" for kind in view.endpoint.events)
    return [f"**Events**, each if it happened: {names}."] if names else []


def _holders(need: Permission) -> list[str]:
    return [role.value for role in STAFF if need in matrix.permissions_of(role, admin_clinical=False)]


def _by_setting(need: Permission) -> bool:
    return "admin" not in _holders(need) and need in matrix.permissions_of("admin", admin_clinical=True)


def _pascal(words: str) -> str:
    return "".join(word.capitalize() for word in re.split(r"[ _]", words))


def _camel(words: str) -> str:
    return words[:1] + _pascal(words)[1:]
