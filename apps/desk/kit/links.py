"""Which links a page shows: only those that lead to a page that the reader may open."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from django.contrib.admin.helpers import AdminForm, AdminReadonlyField, Fieldline, Fieldset
from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import Resolver404, resolve

from apps.desk.kit.site import can_open, site


def openable(request: HttpRequest, addresses: Iterable[str]) -> set[str]:
    """Returns those of the paths that lead to a page that the user may open. One query for each model that they name."""
    shown: set[str] = set()
    rows: dict[Any, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))  # page, id, addresses
    for address in {*addresses} - {""}:
        try:
            match = resolve(urlsplit(address).path)
        except Resolver404:
            continue
        page = _model_page(match.url_name or "")
        if page is None:
            if match.url_name and _may_open_site_page(request, match.url_name):  # Django's page for unknown addresses has no name
                shown.add(address)
        elif page.has_add_permission(request) if match.url_name == _name(page, "add") else page.has_view_permission(request):
            if "object_id" in match.kwargs:
                rows[page][unquote(match.kwargs["object_id"])].append(address)
            else:
                shown.add(address)
    for page, by_id in rows.items():
        shown |= {address for row_id in _visible(page, request, by_id) for address in by_id[row_id]}
    return shown


class ReaderForm(AdminForm):
    """Django's form for the template. A row that a read-only field refers to is a link only for users who may open its page."""

    def __init__(self, of: AdminForm, request: HttpRequest) -> None:
        vars(self).update(vars(of))
        self._link = partial(_link, request)

    def __iter__(self) -> Iterator[Fieldset]:
        for fieldset in super().__iter__():
            yield _ReaderFieldset(fieldset, self._link)


class _ReaderFieldset(Fieldset):
    def __init__(self, of: Fieldset, link: Any) -> None:
        vars(self).update(vars(of))
        self._link = link

    def __iter__(self) -> Iterator[Fieldline]:
        for line in super().__iter__():
            yield _ReaderLine(line, self._link)


class _ReaderLine(Fieldline):
    def __init__(self, of: Fieldline, link: Any) -> None:
        vars(self).update(vars(of))
        self._link = link

    def __iter__(self) -> Iterator[Any]:
        for field in super().__iter__():
            if isinstance(field, AdminReadonlyField):
                field.get_admin_url = partial(self._link, field.get_admin_url)  # type: ignore[method-assign]  # the field makes its link with this method
            yield field


def _link(request: HttpRequest, write: Any, relation: Any, row: Any) -> Any:
    page = site._registry.get(type(row))
    return write(relation, row) if page is not None and page.has_view_permission(request, row) else str(row)


def _model_page(url_name: str) -> Any:
    return next((page for page in site._registry.values() if url_name.startswith(_name(page, ""))), None)


def _name(page: Any, view: str) -> str:
    return f"{page.opts.app_label}_{page.opts.model_name}_{view}"


def _may_open_site_page(request: HttpRequest, url_name: str) -> bool:
    permissions = {page.name: page.permission for page in site.pages}
    needed = permissions.get(url_name)
    return needed is None or can_open(request.user, needed)


def _visible(page: Any, request: HttpRequest, ids: Iterable[str]) -> set[str]:
    """Returns the ids of rows that the user may see."""
    keys = {}
    for row_id in ids:
        try:
            keys[page.opts.pk.to_python(row_id)] = row_id
        except ValidationError:
            continue
    return {keys[pk] for pk in page.get_queryset(request).filter(pk__in=keys).values_list("pk", flat=True)}
