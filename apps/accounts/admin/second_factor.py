"""One's own second factor: set up, renewed, removed. Every step asks for the password again, and the code where there is one."""

from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views import View

from apps.accounts import selectors, services
from apps.accounts.admin.sign_in import CodeForm, place_of, tell_code
from apps.accounts.models import User
from apps.common.errors import HimsError, RateLimited
from apps.rest.admin_site import forget_pages, too_many

_OFFER = "second_factor_offer"  # marks, in this browser's session, the seed that was shown here


class ProofForm(forms.Form):
    """The password."""

    password = forms.CharField(
        label="Your password",
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class ProofAndCodeForm(ProofForm, CodeForm):
    """The password, and a code that was not used yet."""

    field_order = ("password", "code")


class SecondFactorView(View):
    """The page. What is to be done stands in the button that was pressed."""

    site: Any = None
    request: HttpRequest

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(self._proof())

    def post(self, request: HttpRequest) -> HttpResponse:
        acts = {"confirm": self._confirm, "codes": self._codes, "disable": self._disable}
        act, kind = request.POST.get("act"), CodeForm if request.POST.get("act") == "confirm" else type(self._proof())
        form = kind(request.POST)
        if not form.is_valid():
            return self._show(form, confirming=act == "confirm")
        try:
            return acts.get(act or "", self._begin)(form.cleaned_data)
        except RateLimited as refusal:
            return too_many(request, refusal.details["retry_after"])
        except HimsError as refusal:
            tell_code(form, refusal)
            return self._show(form, confirming=act == "confirm")

    def _begin(self, answers: dict[str, Any]) -> HttpResponse:
        self._prove(answers)
        offered_to = uuid4()
        self.request.session[_OFFER] = str(offered_to)
        enrolment = services.begin_totp(by=self._user, offered_to=offered_to)
        return self._show(CodeForm(), confirming=True, enrolment=enrolment)

    def _confirm(self, answers: dict[str, Any]) -> HttpResponse:
        offered_to = self.request.session.get(_OFFER)
        codes = services.confirm_totp(by=self._user, code=answers["code"], offered_to=UUID(offered_to) if offered_to else None)
        self._go_on()
        return self._show_codes(codes)

    def _codes(self, answers: dict[str, Any]) -> HttpResponse:
        self._prove(answers)
        return self._show_codes(services.renew_recovery_codes(by=self._user))

    def _disable(self, answers: dict[str, Any]) -> HttpResponse:
        self._prove(answers)
        services.disable_totp(by=self._user)
        self._user.refresh_from_db()
        if selectors.must_enrol(self._user):
            logout(self.request)  # signing in again leads to setting up the next one
            return forget_pages(HttpResponseRedirect(reverse("admin:login")))
        self._go_on()
        messages.success(self.request, "Your second factor is removed. Every other session of yours has ended.")
        return HttpResponseRedirect(reverse("admin:second_factor"))

    def _prove(self, answers: dict[str, Any]) -> None:
        services.prove_password(by=self._user, password=answers["password"], session_id=None)
        services.check_code(self._user, answers.get("code", ""), place=place_of(self.request))

    def _go_on(self) -> None:
        """This browser's session goes on; the others began with another stamp."""
        self._user.refresh_from_db()
        update_session_auth_hash(self.request, self._user)

    @property
    def _user(self) -> User:
        return self.request.user  # type: ignore[return-value]  # `admin_view` let nobody else in

    def _proof(self) -> forms.Form:
        return ProofAndCodeForm() if selectors.has_second_factor(self._user.pk) else ProofForm()

    def _show(self, form: forms.Form, **more: Any) -> HttpResponse:
        known = {"title": "Second factor", "form": form, "enrolled": selectors.has_second_factor(self._user.pk)}
        return TemplateResponse(self.request, "admin/second_factor.html", self.site.each_context(self.request) | known | more)

    def _show_codes(self, codes: list[str]) -> HttpResponse:
        known = {"title": "Your recovery codes", "recovery_codes": codes, "onward": reverse("admin:second_factor")}
        return TemplateResponse(self.request, "admin/recovery_codes.html", self.site.each_context(self.request) | known)
