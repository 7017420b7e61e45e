"""The developer pages. All of them are ours to serve: no page asks another host for anything."""

from typing import Any

from csp.decorators import csp_update
from django.apps import apps
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerSplitView

from apps.developers.contract import changelog, openapi
from apps.developers.pages import error_advice, quickstart
from apps.rest import deprecations as table
from apps.rest.limits import PER_MINUTE

_REDOC = {"style-src": ["'unsafe-inline'"]}  # ReDoc writes its styles into the page as it goes


def index(request: HttpRequest) -> HttpResponse:
    """Where to begin: the first commands, the addresses, the limits, every operation."""
    context = {
        "steps": quickstart.steps(request.build_absolute_uri("/v1")),
        "servers": settings.SPECTACULAR_SETTINGS["SERVERS"],
        "limits": PER_MINUTE.items(),
        "scale": settings.HIMS_RATE_LIMIT_SCALE,
        "tags": _operations(),
        "key_head": "hims_live_" if settings.HIMS_ENV == "production" else "hims_test_",
        "samples": apps.is_installed("apps.sandbox"),
    }
    return render(request, "developers/index.html", context)


def errors(request: HttpRequest) -> HttpResponse:
    """Every code of the catalogue, each with an anchor of its name."""
    return render(request, "developers/errors.html", {"entries": error_advice.catalogue()})


def changes(request: HttpRequest) -> HttpResponse:
    """What changed, and how long the old stays."""
    return render(request, "developers/changelog.html", {"releases": changelog.RELEASES})


def deprecations(request: HttpRequest) -> HttpResponse:
    """What is going to end, when, and what comes instead."""
    return render(request, "developers/deprecations.html", {"rows": table.listed(), "months": table.LEAST_MONTHS})


def guarantees(request: HttpRequest) -> HttpResponse:
    """How a client repeats a write safely, and how it avoids overwriting the changes of others."""
    return render(request, "developers/guarantees.html")


class Explorer(SpectacularSwaggerSplitView):
    """Swagger UI. Its start-up script is a request of its own, so that the page needs no inline script."""

    schema = None
    template_name = "developers/explorer.html"
    url_name = "developers-explorer-file"


def explorer_file(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """The OpenAPI file with a relative server, so that the explorer calls the host that served its page, under any name."""
    return JsonResponse(openapi.as_dict() | {"servers": [{"url": "/v1", "description": "This server"}]})


@method_decorator(csp_update(_REDOC), name="dispatch")
class Redoc(SpectacularRedocView):
    """ReDoc, without its search: that would need a worker made from a blob."""

    schema = None
    template_name = "developers/redoc.html"
    url_name = "openapi-json"


def _operations() -> list[dict[str, Any]]:
    """Every operation by tag, as the OpenAPI file has it."""
    file = openapi.as_dict()
    rows: dict[str, list[dict[str, Any]]] = {tag["name"]: [] for tag in file["tags"]}
    for path, methods in file["paths"].items():
        for method, operation in methods.items():
            roles = operation.get("x-roles")
            who = ", ".join(role.replace("_", " ") for role in roles) if roles else "all callers"
            scope = operation.get("x-required-scope", "") or ("never" if roles else "")
            row = {"method": method.upper(), "path": path, "summary": operation["summary"], "who": who, "scope": scope}
            rows[operation["tags"][0]].append(row)
    return [{"name": tag["name"], "about": tag["description"], "rows": rows[tag["name"]]} for tag in file["tags"]]
