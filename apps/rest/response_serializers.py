"""The base of replies: one class declares the schema in the OpenAPI file and writes the data.

    class PatientResponse(ResponseSerializer):
        reads = Permission.PATIENT_VIEW  # the right whose scope an API key needs (`disclosure`)
        expandable = ("doctor",)  # `?expand=doctor` adds it

        recorded_by = UUIDField(source="recorded_by_id")
        notes = protected(CharField(required=False), permission=Permission.APPOINTMENT_SEE_NOTES)
        contact = ContactResponse(source="*")
        age = CharField()
        doctor = DoctorResponse(required=False)

        @staticmethod
        def get_age(patient: Patient) -> str: ...

A value is what the static method `get_<field>` returns for the row (and the reader, if it takes two arguments), else the
attribute (of a dict: the key) that the field names. A nested serializer represents that value, or with `source="*"` the row
itself. An `optional` field is left out where its value is None; `get_<field>` raises SkipField to leave out a nullable one. A
reader without the `permission` of a protected field gets the reply without it.

Values pass as they are: the renderer writes UUIDs, instants and decimals. Therefore, and because `_plan` runs once per role and
class, a row costs about a microsecond; DRF's own `to_representation` costs fifty times that.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from inspect import getattr_static, signature
from operator import attrgetter, itemgetter
from typing import Any, ClassVar, TypeVar

from rest_framework.fields import SkipField
from rest_framework.serializers import ListSerializer, Serializer

from apps.access.permissions import Permission
from apps.rest.scoped_list import RolePlaceholder, per_role
from apps.rest.serializers import AnyField

_ANONYMOUS: Any = RolePlaceholder("", admin_clinical=False)  # has no permission
F = TypeVar("F", bound=AnyField)
Represent = Callable[[Any, Any], Any]  # of a row, for a reader


def protected(field: F, *, permission: Permission) -> F:
    """Declare a field that only readers with the permission get. Raises ValueError for a required field."""
    if field.required:
        raise ValueError("A protected field is absent for some readers: declare it with required=False.")
    vars(field)["permission"] = permission
    return field


def optional(field: F) -> F:
    """Declare a field that is left out of the reply where its value is None. Raises ValueError for a required field."""
    if field.required:
        raise ValueError("An optional field is absent from some replies: declare it with required=False.")
    vars(field)["optional"] = True
    return field


class ResponseSerializer(Serializer[Any]):
    """The data of a reply; see above."""

    expandable: ClassVar[Collection[str]] = ()  # fields that `expand` fills in
    origin: ClassVar[str] = ""  # the attribute that has the plain values, if the row only has it inside

    def to_representation(self, instance: Any) -> Any:
        return self.represent(instance, self.context["by"])

    @classmethod
    def represent(cls, instance: Any, by: Any) -> dict[str, Any]:
        """Returns the data of a row (an object or a dict) as this reader may see it."""
        return cls.represent_all([instance], by)[0]

    @classmethod
    def represent_all(cls, instances: Iterable[Any], by: Any) -> list[dict[str, Any]]:
        """Returns the data of these rows as this reader may see them."""
        represent = _plan(by or _ANONYMOUS, cls)
        return [represent(instance, by) for instance in instances]


@per_role
def _plan(by: Any, kind: type[ResponseSerializer]) -> Represent:
    """Returns the function that represents a row of this class for the readers of a role."""
    fields = sorted(
        kind._declared_fields.items(), key=lambda one: vars(one[1])["_creation_counter"]
    )  # a redeclared field follows the others
    shown = {name: field for name, field in fields if name not in kind.expandable and _may_see(by, field)}
    computed = {name: get for name, field in shown.items() if (get := _computed(by, kind, name, field))}
    sources = {name: field.source or name for name, field in shown.items() if name not in computed}
    prefix = f"{kind.origin}." if kind.origin else ""
    of_object = _reader(attrgetter, {name: prefix + source for name, source in sources.items()})
    empty, of_dict = dict.fromkeys(shown), _reader(itemgetter, sources)
    left_out = [name for name, field in shown.items() if "optional" in vars(field)]

    def plain(row: Any, reader: Any) -> dict[str, Any]:  # noqa: ARG001
        return dict(zip(sources, (of_dict if isinstance(row, dict) else of_object)(row), strict=True))

    def represent(row: Any, reader: Any) -> dict[str, Any]:
        data = empty | plain(row, reader)  # in the declared order
        for name, get in computed.items():
            try:
                data[name] = get(row, reader)
            except SkipField:
                del data[name]
        for name in left_out:
            if data[name] is None:
                del data[name]
        return data

    return represent if computed or left_out else plain


def _may_see(by: Any, field: AnyField) -> bool:
    permission = vars(field).get("permission")
    return permission is None or by.has_permission(permission)


def _computed(by: Any, kind: type[ResponseSerializer], name: str, field: AnyField) -> Represent | None:
    """Returns the function that makes the value of a field; None if it is the plain value of the row."""
    inner = field.child if isinstance(field, ListSerializer) else field
    value = _method(kind, name)
    if not isinstance(inner, ResponseSerializer):
        return value
    represent: Represent = _plan(by, type(inner))
    if field.source == "*":
        return represent
    of_object, of_dict = attrgetter(field.source or name), itemgetter(field.source or name)

    def nested(row: Any, reader: Any) -> Any:
        rows = value(row, reader) if value else (of_dict if isinstance(row, dict) else of_object)(row)
        if inner is not field:
            return [represent(one, reader) for one in rows]
        return None if rows is None else represent(rows, reader)

    return nested


def _method(kind: type[ResponseSerializer], name: str) -> Represent | None:
    """Returns the static method `get_<field>`. Others of that name are DRF's own methods."""
    method = getattr_static(kind, f"get_{name}", None)
    if not isinstance(method, staticmethod):
        return None
    get: Any = method.__func__
    return get if len(signature(get).parameters) == 2 else lambda row, _: get(row)


def _reader(getter: Callable[..., Any], sources: Mapping[str, str]) -> Callable[[Any], tuple[Any, ...]]:
    """Returns the function that reads all these attributes or keys of a row at once."""
    if len(sources) > 1:
        return getter(*sources.values())  # type: ignore[no-any-return]  # attrgetter or itemgetter
    read = [getter(source) for source in sources.values()]
    return lambda row: tuple(get(row) for get in read)
