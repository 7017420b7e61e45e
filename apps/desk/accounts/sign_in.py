"""The sign-in pages: name and password, then the code of the second factor or its setup.

Between the steps the browser has no session of the user: only a mark, valid for ten minutes, that the password was correct.
"""

import secrets
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.views import LoginView, RedirectURLMixin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView

from apps.accounts import selectors, services
from apps.accounts.models import User
from apps.accounts.services import SignInPlace
from apps.common import clock, context
from apps.common.errors import HimsError, RateLimited
from apps.desk.drafts.keeper import names_writer
from apps.desk.kit.forms import show_refusal
from apps.desk.kit.site import too_many_attempts

_COOKIE = "hims_device"
_SALT = "apps.accounts.device"
_DEVICE_REMEMBERED_FOR = timedelta(days=30)
_PENDING = "signing_in"
_STEP_VALID_FOR = timedelta(minutes=10)


def place_of(request: HttpRequest | None) -> SignInPlace:
    """Returns the place of the browser, and its mark from an earlier sign-in if it has one."""
    assert request is not None
    device = request.get_signed_cookie(_COOKIE, default="", salt=_SALT, max_age=int(_DEVICE_REMEMBERED_FOR.total_seconds()))
    return SignInPlace(context.current().ip, device or "")


class SignInForm(AdminAuthenticationForm):
    """Authenticates the user and explains a refusal without revealing whether the account exists."""

    def clean(self) -> dict[str, Any]:
        name, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if name and password:
            try:
                self.user_cache = services.authenticate(name, password, place=place_of(self.request))
            except services.WrongCredentials:
                raise self.get_invalid_login_error() from None
            except services.PasswordResetRequired as refusal:
                raise ValidationError(refusal.message) from refusal
        return self.cleaned_data


class CodeForm(forms.Form):
    """Six digits, or a recovery code."""

    code = forms.CharField(
        max_length=20,
        widget=forms.TextInput(
            attrs={"class": "code", "autocomplete": "one-time-code", "spellcheck": "false", "autofocus": True}
        ),
        label=_("Code"),
        help_text=_("The six digits that your authenticator app shows now. Lost your phone? Enter one of your recovery codes."),
    )


def add_code_error(form: forms.Form, refusal: HimsError) -> None:
    """Adds the error to the form's field, which the API calls `mfa_code`."""
    if refusal.details.get("field") == "mfa_code":
        form.add_error("code", refusal.message)
    else:
        show_refusal(form, refusal)


class SignInSteps(RedirectURLMixin):
    """What the steps share: the half signed-in user, and the end of the last step."""

    site: Any = None
    request: HttpRequest

    def get_default_redirect_url(self) -> str:
        return reverse("admin:index")

    def complete_sign_in(self, user: User, response: HttpResponse) -> HttpResponse:
        """Starts the session after the last step and remembers the browser as known."""
        previous = place_of(self.request)
        place = SignInPlace(previous.ip, previous.device or secrets.token_urlsafe(24))
        self.request.session.pop(_PENDING, None)
        services.sign_in_browser(user=user, place=place)
        self.site.start_session(self.request, user)
        response.set_signed_cookie(
            _COOKIE,
            place.device,
            salt=_SALT,
            max_age=_DEVICE_REMEMBERED_FOR,
            path="/admin/",
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
        names_writer(response, user.pk)
        return response

    def redirect_to_step(self, name: str) -> HttpResponse:
        """Redirects to the next step, and passes the destination on."""
        return HttpResponseRedirect(f"{reverse(f'admin:{name}')}?{urlencode({'next': self.get_success_url()})}")


class SignInView(SignInSteps, LoginView):
    """The first step: name and password."""

    authentication_form = SignInForm
    template_name = "admin/login.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        extra = {"title": gettext("Sign in"), "subtitle": None, "app_path": self.request.get_full_path()}
        fields = {"username": self.request.user.get_username(), "next": self.get_success_url()}
        context: dict[str, Any] = super().get_context_data(**kwargs) | self.site.each_context(self.request) | extra | fields
        return context

    def form_valid(self, form: Any) -> HttpResponse:
        user = form.get_user()
        enrolled = selectors.has_second_factor(user.pk)
        if not enrolled and not selectors.must_enrol(user):
            return self.complete_sign_in(user, HttpResponseRedirect(self.get_success_url()))
        self.request.session.cycle_key()
        pending = {
            "user": str(user.pk),
            "since": clock.now().isoformat(),
            "knew": user.get_session_auth_hash(),
            "offer": str(uuid4()),  # only for this sign-in: a seed that an earlier one saw is not shown or confirmed here
        }
        self.request.session[_PENDING] = pending
        return self.redirect_to_step("login_code" if enrolled else "login_enrol")


class _SecondStep(SignInSteps, FormView[forms.Form]):
    """A page for users who entered the correct password within ten minutes; others start again."""

    form_class: Any = CodeForm
    title: str | Promise = ""
    for_enrolled = True
    user: User

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user = _pending_user(request)
        if user is None or selectors.has_second_factor(user.pk) != self.for_enrolled:
            return HttpResponseRedirect(f"{reverse('admin:login')}?{urlencode({'next': self.get_success_url()})}")
        self.user = user
        try:
            return super().dispatch(request, *args, **kwargs)
        except RateLimited as refusal:
            return too_many_attempts(request, refusal.details["retry_after"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        extra = {"title": self.title, "subtitle": None, "next": self.get_success_url()}
        context: dict[str, Any] = self.site.each_context(self.request) | super().get_context_data(**kwargs) | extra
        return context


class CodeView(_SecondStep):
    """The code, if a second factor is set up."""

    template_name = "admin/login_code.html"
    title = _("Enter your code")

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            services.check_code(self.user, form.cleaned_data["code"], place=place_of(self.request))
        except RateLimited:
            raise
        except HimsError as refusal:
            add_code_error(form, refusal)
            return self.form_invalid(form)
        return self.complete_sign_in(self.user, HttpResponseRedirect(self.get_success_url()))


class EnrolView(_SecondStep):
    """Sets up the second factor if the role requires one and it is missing."""

    template_name = "admin/login_enrol.html"
    title = _("Set up two-step sign-in")
    for_enrolled = False

    @property
    def offered_to(self) -> UUID:
        """Returns the identity of this sign-in, for which the seed is reserved."""
        return UUID(self.request.session[_PENDING]["offer"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"enrolment": services.pending_totp(by=self.user, offered_to=self.offered_to)}

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            codes = services.confirm_totp(by=self.user, code=form.cleaned_data["code"], offered_to=self.offered_to)
        except RateLimited:
            raise
        except HimsError as refusal:
            add_code_error(form, refusal)
            return self.form_invalid(form)
        self.user.refresh_from_db()
        page = {"recovery_codes": codes, "onward": self.get_success_url(), "title": gettext("Your recovery codes")}
        response = TemplateResponse(self.request, "admin/recovery_codes.html", page)
        self.complete_sign_in(self.user, response)
        response.context_data = self.site.each_context(self.request) | page
        return response


def _pending_user(request: HttpRequest) -> User | None:
    """Returns the user who entered the correct password in this browser within ten minutes, if the password has not changed
    since."""
    pending = request.session.get(_PENDING)
    if not pending or "offer" not in pending or clock.now() - datetime.fromisoformat(pending["since"]) > _STEP_VALID_FOR:
        return None
    user = selectors.staff_member(pending["user"])
    return user if user and constant_time_compare(pending["knew"], user.get_session_auth_hash()) else None
