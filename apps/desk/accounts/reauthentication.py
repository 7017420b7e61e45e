"""Confirms the password on a page before a sensitive action. The interrupted request continues with its data afterwards."""

from typing import Any

from django import forms
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from apps.accounts import selectors, services
from apps.common.errors import HimsError, RateLimited
from apps.desk.accounts.forms import NewPasswordForm
from apps.desk.accounts.second_factor import PasswordAndCodeForm, PasswordForm
from apps.desk.accounts.sign_in import add_code_error, place_of
from apps.desk.kit.site import record_reauthentication, too_many_attempts

_PREFIX = "proof"
_MARKER = "proof-of"  # marks the page's own form; its value is the method of the interrupted request
_FAILURES = "failed_proofs"
_FAILURES_UNTIL_END = 10  # as in the API: a user who has the session but not the password is stopped
_NEVER_ECHOED = {*NewPasswordForm.base_fields, "csrfmiddlewaretoken"}  # a page never shows a typed password


class ReauthenticationPage:
    """Asks for the password at the address of a page that raised ReauthenticationRequired."""

    def __init__(self, site: Any) -> None:
        self.site = site

    def ask(self, request: HttpRequest) -> HttpResponse:
        """Asks for the password and stores the interrupted request until it is confirmed."""
        return self._show(request, _form(request), str(request.method))

    def take(self, request: HttpRequest) -> HttpResponse | None:
        """Checks the password. Returns None if it is correct and the interrupted request continues, or if no password was
        requested."""
        held_method = request.POST.get(_MARKER)
        if held_method is None:
            return None
        form = _form(request, request.POST)
        if not form.is_valid():
            return self._show(request, form, held_method)
        try:
            services.reauthenticate_browser(
                by=request.user,  # type: ignore[arg-type]  # `admin_view` admits only staff
                password=form.cleaned_data["password"],
                code=form.cleaned_data.get("code", ""),
                place=place_of(request),
            )
        except RateLimited as refusal:
            return too_many_attempts(request, refusal.details["retry_after"])
        except HimsError as refusal:
            return self._refused(request, form, held_method, refusal)
        request.session.pop(_FAILURES, None)
        record_reauthentication(request)
        if held_method != "POST":
            return HttpResponseRedirect(request.get_full_path())
        request.POST = _original_post(request.POST)  # type: ignore[assignment]  # the page reads what it was sent at first
        return None

    def _refused(self, request: HttpRequest, form: forms.Form, held_method: str, refusal: HimsError) -> HttpResponse:
        request.session[_FAILURES] = failures = request.session.get(_FAILURES, 0) + 1
        if failures >= _FAILURES_UNTIL_END:
            logout(request)
            return HttpResponseRedirect(reverse("admin:login", current_app=self.site.name))
        add_code_error(form, refusal)
        return self._show(request, form, held_method)

    def _show(self, request: HttpRequest, form: forms.Form, held_method: str) -> HttpResponse:
        original = _original_post(request.POST)
        preserved = [(name, value) for name, values in original.lists() if name not in _NEVER_ECHOED for value in values]
        context = {
            **self.site.each_context(request),
            "title": gettext("Confirm your password"),
            "form": form,
            "marker": (_MARKER, held_method),
            "kept": preserved,
            "must_retype": any(name in NewPasswordForm.base_fields for name in original),
            "back": request.get_full_path(),
        }
        return render(request, "admin/proof.html", context)


def _form(request: HttpRequest, data: QueryDict | None = None) -> forms.Form:
    enrolled = selectors.has_second_factor(request.user.pk)  # type: ignore[arg-type]  # `admin_view` admits only staff
    kind = PasswordAndCodeForm if enrolled else PasswordForm
    return kind(data, prefix=_PREFIX)


def _original_post(posted: QueryDict) -> QueryDict:
    """Returns the data of the interrupted request, without the fields of this page."""
    original = posted.copy()
    for name in [name for name in original if name.startswith(f"{_PREFIX}-")]:
        del original[name]
    return original
