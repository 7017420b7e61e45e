"""The password pages: change the own password, request a link, and choose a password through the link."""

from abc import ABC, abstractmethod
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView

from apps.accounts import services
from apps.accounts.models import User
from apps.common import context
from apps.common.errors import HimsError, Invalid, RateLimited
from apps.desk.accounts.forms import REVOKE_API_KEYS, NewPasswordForm
from apps.desk.kit.site import too_many_attempts
from apps.rest import sign_in

_FIELD = {"current_password": "old_password", "new_password": "new_password1"}  # the API's field name: the form's field name


class OwnPasswordForm(PasswordChangeForm):
    """Saves during validation, so that a refusal appears at the field."""

    revoke_api_keys = forms.BooleanField(required=False, label="Revoke my API keys", help_text=REVOKE_API_KEYS)

    def clean_old_password(self) -> str:
        """Leaves the check to the service, which counts the attempts."""
        return str(self.cleaned_data["old_password"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            old, new, revoke = cleaned["old_password"], cleaned["new_password1"], cleaned["revoke_api_keys"]
            try:
                services.change_password(by=self.user, session_id=None, current=old, new=new, revoke_api_keys=revoke)
            except HimsError as refusal:
                message = refusal.details["issue"] if isinstance(refusal, Invalid) else refusal.message
                self.add_error(_FIELD.get(refusal.details.get("field", "")), message)
            self.user.refresh_from_db()
        return cleaned

    def save(self, commit: bool = True) -> User:
        """Updates the session with the user's new state; the password is already saved."""
        return self.user


class OwnPasswordView(PasswordChangeView):
    """Changes the own password. All other sessions of the user end, in the API and in browsers."""

    form_class = OwnPasswordForm
    template_name = "admin/password_own.html"


class ForgotForm(forms.Form):
    """The name or e-mail of an account whose password was forgotten."""

    identifier = forms.CharField(
        label="Your e-mail or username", max_length=254, widget=forms.TextInput(attrs={"autocomplete": "username"})
    )


class _OpenPage(FormView[forms.Form], ABC):
    """A page for users who are not signed in. It sends no Referer, because its address may contain a token."""

    site: Any = None
    title: str | Promise = ""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        extra = {"title": self.title, "subtitle": None}
        context: dict[str, Any] = self.site.each_context(self.request) | super().get_context_data(**kwargs) | extra
        return context

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "POST" and (wait := sign_in.seconds_to_wait(request, self.rate_key(request))):
            return too_many_attempts(request, wait)
        try:
            response = super().dispatch(request, *args, **kwargs)
        except RateLimited as refusal:
            return too_many_attempts(request, refusal.details["retry_after"])
        response.headers["Referrer-Policy"] = "same-origin" if request.method == "POST" else "no-referrer"
        return response

    @property
    def place(self) -> services.SignInPlace:
        """Returns the place of the browser."""
        return services.SignInPlace(context.current().ip)

    @abstractmethod
    def rate_key(self, request: HttpRequest) -> str:
        """Returns the key under which the attempts are counted."""


class ForgotPasswordView(_OpenPage):
    """Requests a link. The response is the same whether or not the account exists."""

    form_class = ForgotForm
    template_name = "admin/password_forgot.html"
    title = _("Forgot your password?")

    def rate_key(self, request: HttpRequest) -> str:
        return f"forgot:{request.POST.get('identifier', '')}"

    def form_valid(self, form: Any) -> HttpResponse:
        services.request_password_reset(identifier=form.cleaned_data["identifier"], place=self.place)
        return self.render_to_response(self.get_context_data(form=form, requested=True))


class ResetPasswordView(_OpenPage):
    """Sets a password through a mailed link."""

    form_class = NewPasswordForm
    template_name = "admin/password_reset.html"
    title = _("Choose a password")

    def rate_key(self, request: HttpRequest) -> str:
        return f"reset:{self.token}"

    @property
    def token(self) -> str:
        """Returns the token from the link, and then from the form."""
        return self.request.POST.get("token", "") or self.request.GET.get("token", "")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"token": self.token, "good": services.is_valid_link(self.token, self.place)}

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            services.reset_password(token=self.token, password=form.cleaned_data["password"], place=self.place)
        except services.InvalidLink:
            return self.render_to_response(self.get_context_data(form=form))
        except Invalid as refusal:
            for row in refusal.details["errors"]:
                form.add_error("password", row["issue"])
            return self.form_invalid(form)
        messages.success(self.request, "Your password is changed. Sign in with it.")
        return HttpResponseRedirect(reverse("admin:login"))
