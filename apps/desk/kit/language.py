"""The language of the pages. A cookie keeps the user's choice; without one, pages are in English. The API stays English."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import View

from apps.desk.kit.navigation import HOME


def language_of(request: HttpRequest) -> str:
    """Returns the code of the chosen language."""
    chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    return chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


def in_language(view: Callable[..., Any]) -> Callable[..., Any]:
    """Runs and renders a page in the user's language."""

    @wraps(view)
    def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        with translation.override(language_of(request)):
            response: Any = view(request, *args, **kwargs)
            return response.render() if hasattr(response, "render") else response

    return shown


def languages(request: HttpRequest) -> list[dict[str, Any]]:
    """Returns the languages to choose from: code, name in the language itself, whether it is the chosen one."""
    chosen = language_of(request)
    return [{"code": code, "name": name, "is_chosen": code == chosen} for code, name in settings.LANGUAGES]


def back_address(request: HttpRequest) -> str:
    """Returns the page of ours that a form names in `next`; the home page without one."""
    address = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(address, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return address if is_ours else reverse(HOME)


class LanguageView(View):
    """Keeps the chosen language, and returns to the page that the user came from."""

    site: Any = None

    def post(self, request: HttpRequest) -> HttpResponse:
        response = HttpResponseRedirect(back_address(request))
        chosen = request.POST.get("language", "")
        if chosen in dict(settings.LANGUAGES):
            response.set_cookie(
                settings.LANGUAGE_COOKIE_NAME,
                chosen,
                max_age=settings.LANGUAGE_COOKIE_AGE,
                path=settings.LANGUAGE_COOKIE_PATH,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response
