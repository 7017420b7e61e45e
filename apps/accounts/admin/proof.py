"""Giving one's password again at a page: what a grave change asks for. What was entered goes on from there and is not lost."""

from typing import Any

from django import forms
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse

from apps.accounts import selectors, services
from apps.accounts.admin.forms import TwicePassword
from apps.accounts.admin.second_factor import ProofAndCodeForm, ProofForm
from apps.accounts.admin.sign_in import place_of, tell_code
from apps.common.errors import HimsError, RateLimited
from apps.rest.admin_site import prove, too_many

_PREFIX = "proof"
_ASKED = "proof-of"  # marks the page's own form; its value is the method of the request that was held up
_FAILURES = "failed_proofs"
_FAILURES_UNTIL_END = 10  # as over the API: whoever has the session and not the password tries no longer
_NOT_ECHOED = {*TwicePassword.base_fields, "csrfmiddlewaretoken"}  # a page never shows a password that was typed


class ProofPage:
    """Asks for the password at the address of a page that raised ReauthenticationRequired."""

    def __init__(self, site: Any) -> None:
        self.site = site

    def ask(self, request: HttpRequest) -> HttpResponse:
        """Ask for the password, and hold what was sent until it is there."""
        return self._show(request, _form(request), str(request.method))

    def take(self, request: HttpRequest) -> HttpResponse | None:
        """Check the answer. None where it is right and the request that was held up goes on, or where nothing was asked."""
        held = request.POST.get(_ASKED)
        if held is None:
            return None
        form = _form(request, request.POST)
        if not form.is_valid():
            return self._show(request, form, held)
        try:
            services.reauthenticate_browser(
                by=request.user,  # type: ignore[arg-type]  # `admin_view` let nobody else in
                password=form.cleaned_data["password"],
                code=form.cleaned_data.get("code", ""),
                place=place_of(request),
            )
        except RateLimited as refusal:
            return too_many(request, refusal.details["retry_after"])
        except HimsError as refusal:
            return self._refused(request, form, held, refusal)
        request.session.pop(_FAILURES, None)
        prove(request)
        if held != "POST":
            return HttpResponseRedirect(request.get_full_path())
        request.POST = _first_sent(request.POST)  # type: ignore[assignment]  # the page reads what it was sent at first
        return None

    def _refused(self, request: HttpRequest, form: forms.Form, held: str, refusal: HimsError) -> HttpResponse:
        request.session[_FAILURES] = failures = request.session.get(_FAILURES, 0) + 1
        if failures >= _FAILURES_UNTIL_END:
            logout(request)
            return HttpResponseRedirect(reverse("admin:login", current_app=self.site.name))
        tell_code(form, refusal)
        return self._show(request, form, held)

    def _show(self, request: HttpRequest, form: forms.Form, held: str) -> HttpResponse:
        sent = _first_sent(request.POST)
        kept = [(name, value) for name, values in sent.lists() if name not in _NOT_ECHOED for value in values]
        context = {
            **self.site.each_context(request),
            "title": "Give your password again",
            "form": form,
            "marker": (_ASKED, held),
            "kept": kept,
            "must_retype": any(name in TwicePassword.base_fields for name in sent),
            "back": request.get_full_path(),
        }
        return render(request, "admin/proof.html", context)


def _form(request: HttpRequest, data: QueryDict | None = None) -> forms.Form:
    enrolled = selectors.has_second_factor(request.user.pk)  # type: ignore[arg-type]  # `admin_view` let nobody else in
    kind = ProofAndCodeForm if enrolled else ProofForm
    return kind(data, prefix=_PREFIX)


def _first_sent(posted: QueryDict) -> QueryDict:
    """What the page was sent, without the answer to this one."""
    sent = posted.copy()
    for name in [name for name in sent if name.startswith(f"{_PREFIX}-")]:
        del sent[name]
    return sent
