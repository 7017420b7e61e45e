"""Sign-in and sign-out, the own account, the doctors."""

from typing import Any

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import events, selectors, services
from apps.accounts.api import examples
from apps.accounts.api import serializers as shapes
from apps.accounts.api.filters import DoctorFilter
from apps.accounts.authentication import tokens
from apps.accounts.models import User
from apps.accounts.rights import Permission
from apps.common import context
from apps.rest import paging, sample_ids, sign_in
from apps.rest.endpoint import PUBLIC, endpoint
from apps.rest.limits import RateClass
from apps.rest.viewsets import HimsViewSet


class AuthViewSet(HimsViewSet):
    """API sessions. Every token belongs to one; the end of the session voids them immediately."""

    resource = "session"
    tag = "Authentication"
    data_key = ""

    def perform_authentication(self, request: Request) -> None:
        """Ignores an old Authorization header on public endpoints instead of refusing it."""
        if self.action in ("login", "refresh"):
            request.user = None  # type: ignore[assignment]  # DRF's word for a stranger is configured to None
            return
        super().perform_authentication(request)

    def limit_key(self, request: Request) -> str:
        """Counts sign-in by address and name, refresh by session."""
        if self.action == "login":
            return sign_in.who(_body_value(request, "username"))
        if self.action == "refresh":
            return _refresh_key(_body_value(request, "refresh_token"))
        return super().limit_key(request)

    @endpoint(
        permission=PUBLIC,
        request=shapes.LoginBody,
        response=shapes.SignedInShape,
        rate_class=RateClass.AUTH,
        example=examples.LOGIN,
        refusals=(services.WrongCredentials, services.MfaRequired, services.MfaInvalid, services.PasswordResetRequired),
        events=(events.SessionStarted, events.SignedInFromNewPlace, events.RecoveryCodeUsed),
    )
    def login(self, request: Request) -> Response:
        """Sign in

        Checks username and password and returns the user and a pair of tokens. The access token is valid for an hour. An
        account with a second factor also needs `mfa_code`, from its authenticator app or one of its recovery codes. An unknown
        name, a wrong password and a closed account get the same reply. After too many failures the account asks unknown
        devices to wait, and finally for a password reset. If the role requires a second factor that is not set up,
        `mfa_enrollment_required` is true and the token works only for setting it up.
        """
        body = self.parse()
        agent = request.META.get("HTTP_USER_AGENT", "")
        signed_in = services.sign_in(
            username=body["username"],
            password=body["password"],
            mfa_code=body.get("mfa_code") or "",
            ip=context.current().ip,
            user_agent=agent,
        )
        return self.reply(signed_in)

    @endpoint(
        permission=PUBLIC,
        request=shapes.RefreshBody,
        response=shapes.RefreshedShape,
        rate_class=RateClass.AUTH,
        example=examples.REFRESH,
        refusals=(tokens.InvalidToken,),
        events=(events.SessionEnded,),
    )
    def refresh(self, request: Request) -> Response:
        """Exchange the refresh token for a new pair

        Returns a new access token and a new refresh token. A refresh token works once: a second use ends the whole session,
        because the token may have been stolen. A session ends after an hour without requests and after twelve hours at the
        latest.
        """
        pair = services.refresh(refresh_token=self.parse()["refresh_token"])
        return self.reply({"tokens": pair})

    @endpoint(
        permission=Permission.OWN_SECURITY,
        request=shapes.LogoutBody,
        response=shapes.LoggedOutShape,
        example=examples.LOGOUT,
        events=(events.SessionEnded,),
    )
    def logout(self, request: Request) -> Response:
        """Sign out

        Ends the session of the access token: its access and refresh tokens are refused at once. With `all_sessions` all
        sessions of the user end, in browsers too. API keys continue to work.
        """
        services.sign_out(by=self.by, session_id=self.by.session_id, all_sessions=self.parse()["all_sessions"])
        return self.reply({"logged_out": True})


class MeViewSet(HimsViewSet):
    """The own account."""

    resource = "me"
    tag = "Authentication"
    data_key = "user"

    @endpoint(permission=Permission.OWN_SESSION, response=shapes.UserShape, etag=True)
    def retrieve(self, request: Request) -> Response:
        """Read my account

        Returns the account of the caller; with an API key, that of its owner. The version in `ETag` is for changing it safely.
        """
        return self._user_response(_require_user(selectors.staff_member(self.by.id)))

    @endpoint(
        permission=Permission.OWN_SESSION,
        request=shapes.MeBody,
        response=shapes.UserShape,
        etag=True,
        recent_login_fields=("email",),
        refusals=(services.UsernameTaken,),
        events=(events.StaffChanged, events.EmailChanged),
        example=examples.ME,
    )
    def update(self, request: Request) -> Response:
        """Change my account

        Changes the name or the e-mail address of the caller. A new e-mail address needs a password that was confirmed within
        five minutes, voids links that were mailed before, and is announced to both addresses. One of the two names may be
        empty.
        """
        user = services.change_staff(by=self.by, user_id=self.by.id, changes=self.parse())
        return self._user_response(user)

    partial_update = update

    def get_for_update(self) -> tuple[dict[str, Any], object]:
        me = _require_user(selectors.staff_member_for_update(self.by.id))
        return self.represent(me), me.updated_at

    def _user_response(self, user: User) -> Response:
        return self.reply(user, version=user.updated_at)


class DoctorViewSet(HimsViewSet):
    """Doctors of the clinic: the valid values of `doctor_id`."""

    resource = "doctor"
    plural = "doctors"

    @endpoint(permission=Permission.DOCTOR_VIEW, query=DoctorFilter, response=shapes.DoctorShape)
    def list(self, request: Request) -> Response:
        """List the doctors

        Returns the doctors who work at the clinic, by name. Their `id` is the value of every `doctor_id`. `search` looks in
        names and specialties.
        """
        rows, _ = self.filtered(selectors.doctors(visible_to=self.by))
        return self.page(paging.page_of(rows, self.window, paging.exact))

    @endpoint(permission=Permission.DOCTOR_VIEW, response=shapes.DoctorShape, etag=True)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Read a doctor

        Returns one doctor who works at the clinic. A doctor whose account is closed gets a 404.
        """
        doctor = selectors.doctors(visible_to=self.by).filter(pk=sample_ids.in_path(pk)).first()
        if doctor is None:
            raise Http404
        return self.reply(doctor)


def _body_value(request: Request, name: str) -> Any:
    return request.data.get(name) if isinstance(request.data, dict) else None


def _require_user(user: User | None) -> User:
    if user is None:
        raise tokens.InvalidToken
    return user


def _refresh_key(raw: Any) -> str:
    try:
        return f"session:{tokens.read_refresh(str(raw)).session_id}"
    except tokens.InvalidToken:
        return f"refresh:{context.current().ip}"
