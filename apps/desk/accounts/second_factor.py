"""The page of the own second factor: set up, renew, remove. Every step requires the password, and the code if one is set up."""

from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views import View

from apps.accounts import selectors, services
from apps.accounts.models import User
from apps.common.errors import HimsError, RateLimited
from apps.desk.accounts.sign_in import CodeForm, add_code_error, place_of
from apps.desk.kit.site import clear_browser_cache, too_many_attempts

_OFFER = "second_factor_offer"  # marks, in this browser's session, the seed that was shown here


class PasswordForm(forms.Form):
    """The password."""

    password = forms.CharField(
        label=_("Your password"),
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class PasswordAndCodeForm(PasswordForm, CodeForm):
    """The password, and an unused code."""

    field_order = ("password", "code")


class SecondFactorView(View):
    """The page of the second factor. The pressed button names the action."""

    site: Any = None
    request: HttpRequest

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(self._password_form())

    def post(self, request: HttpRequest) -> HttpResponse:
        actions = {"confirm": self._confirm, "codes": self._codes, "disable": self._disable}
        action, kind = request.POST.get("act"), CodeForm if request.POST.get("act") == "confirm" else type(self._password_form())
        form = kind(request.POST)
        if not form.is_valid():
            return self._show(form, confirming=action == "confirm")
        try:
            return actions.get(action or "", self._begin)(form.cleaned_data)
        except RateLimited as refusal:
            return too_many_attempts(request, refusal.details["retry_after"])
        except HimsError as refusal:
            add_code_error(form, refusal)
            return self._show(form, confirming=action == "confirm")

    def _begin(self, cleaned: dict[str, Any]) -> HttpResponse:
        self._verify(cleaned)
        offered_to = uuid4()
        self.request.session[_OFFER] = str(offered_to)
        enrolment = services.begin_totp(by=self._user, offered_to=offered_to)
        return self._show(CodeForm(), confirming=True, enrolment=enrolment)

    def _confirm(self, cleaned: dict[str, Any]) -> HttpResponse:
        offered_to = self.request.session.get(_OFFER)
        codes = services.confirm_totp(by=self._user, code=cleaned["code"], offered_to=UUID(offered_to) if offered_to else None)
        self._keep_session()
        return self._show_codes(codes)

    def _codes(self, cleaned: dict[str, Any]) -> HttpResponse:
        self._verify(cleaned)
        return self._show_codes(services.renew_recovery_codes(by=self._user))

    def _disable(self, cleaned: dict[str, Any]) -> HttpResponse:
        self._verify(cleaned)
        services.disable_totp(by=self._user)
        self._user.refresh_from_db()
        if selectors.must_enrol(self._user):
            logout(self.request)  # the next sign-in leads to setting up a new one
            return clear_browser_cache(HttpResponseRedirect(reverse("admin:login")))
        self._keep_session()
        messages.success(self.request, gettext("Two-step sign-in is off. All your other sessions have ended."))
        return HttpResponseRedirect(reverse("admin:second_factor"))

    def _verify(self, cleaned: dict[str, Any]) -> None:
        services.verify_password(by=self._user, password=cleaned["password"], session_id=None)
        services.check_code(self._user, cleaned.get("code", ""), place=place_of(self.request))

    def _keep_session(self) -> None:
        """Keeps this browser's session; the others began with another stamp."""
        self._user.refresh_from_db()
        update_session_auth_hash(self.request, self._user)

    @property
    def _user(self) -> User:
        return self.request.user  # type: ignore[return-value]  # `admin_view` admits only staff

    def _password_form(self) -> forms.Form:
        return PasswordAndCodeForm() if selectors.has_second_factor(self._user.pk) else PasswordForm()

    def _show(self, form: forms.Form, **extra: Any) -> HttpResponse:
        page = {"title": gettext("Two-step sign-in"), "form": form, "enrolled": selectors.has_second_factor(self._user.pk)}
        return TemplateResponse(self.request, "admin/second_factor.html", self.site.each_context(self.request) | page | extra)

    def _show_codes(self, codes: list[str]) -> HttpResponse:
        page = {"title": gettext("Your recovery codes"), "recovery_codes": codes, "onward": reverse("admin:second_factor")}
        return TemplateResponse(self.request, "admin/recovery_codes.html", self.site.each_context(self.request) | page)
