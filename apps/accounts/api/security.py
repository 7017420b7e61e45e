"""One's own safety: the second factor, the password, giving it again, and the sessions one has open."""

from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.permissions import Permission
from apps.accounts import selectors, services
from apps.accounts.api import examples
from apps.accounts.api import serializers as shapes
from apps.accounts.models import Session
from apps.common import context
from apps.rest import paging, sign_in
from apps.rest.endpoint import PUBLIC, endpoint
from apps.rest.limits import RateClass
from apps.rest.viewsets import HimsViewSet


class _OwnSecurity(HimsViewSet):
    """What the views here share: they answer without a key of their own and stand under sign-in's heading."""

    tag = "Authentication"
    data_key = ""

    def limit_key(self, request: Request) -> str:
        """What asks for a secret is counted by session and action, apart from sign-in."""
        if self.endpoint.rate_class and request.user:
            return f"{self.action}:{self.by.session_id}"
        return super().limit_key(request)


class ReauthenticationViewSet(_OwnSecurity):
    """Giving the password again."""

    resource = "reauthentication"

    @endpoint(
        permission=Permission.OWN_SECURITY,
        request=shapes.ReauthenticateBody,
        response=shapes.ReauthenticatedShape,
        rate_class=RateClass.AUTH,
        example=examples.REAUTHENTICATE,
    )
    def reauthenticate(self, request: Request) -> Response:
        """Give the password again

        Good for five minutes in this session; a sign-in counts. Ten wrong passwords in a row end the session.
        """
        body = self.parse()
        services.reauthenticate(
            by=self.by,
            session_id=self.by.session_id,
            password=body["password"],
            code=body.get("mfa_code") or "",
            place=services.SignInPlace(context.current().ip),
        )
        return self.ok({"reauthenticated": True, "expires_in": int(settings.REAUTHENTICATION_LIFETIME.total_seconds())})


class MfaViewSet(_OwnSecurity):
    """The second factor: an authenticator app (TOTP) and recovery codes."""

    resource = "mfa"

    @endpoint(
        permission=Permission.OWN_SECURITY,
        response=shapes.TotpReplyShape,
        recent_login=True,
        operation_id="beginTotp",
        example=examples.TOTP,
    )
    def begin(self, request: Request) -> Response:
        """Begin to set up an authenticator app

        Nothing is asked for at sign-in until a code has been confirmed. Asked again, the earlier secret is void,
        whichever session it was shown to.
        """
        enrolment = services.begin_totp(by=self.by, offered_to=self.by.session_id)
        return self.ok({"totp": {"secret": enrolment.secret, "otpauth_uri": enrolment.otpauth_uri, "qr_svg": enrolment.qr_svg}})

    @endpoint(
        permission=Permission.OWN_SECURITY,
        request=shapes.CodeBody,
        response=shapes.MfaEnabledShape,
        rate_class=RateClass.AUTH,
        operation_id="confirmTotp",
        example=examples.TOTP_CONFIRM,
    )
    def confirm(self, request: Request) -> Response:
        """Switch the second factor on

        Only the session that was shown the secret can confirm it (409). Every other session ends, since it began without the
        second factor; this one goes on.
        """
        session_id = self.by.session_id
        codes = services.confirm_totp(by=self.by, code=self.parse()["code"], offered_to=session_id, session_id=session_id)
        return self.ok({"mfa_enabled": True, "recovery_codes": codes})

    @endpoint(
        permission=Permission.OWN_SECURITY,
        response=shapes.RecoveryCodesShape,
        recent_login=True,
        operation_id="renewRecoveryCodes",
        example=examples.RECOVERY_CODES,
    )
    def renew_codes(self, request: Request) -> Response:
        """Make new recovery codes; the old ones are void"""
        return self.ok({"recovery_codes": services.renew_recovery_codes(by=self.by)})

    @endpoint(
        permission=Permission.OWN_SECURITY,
        response=shapes.MfaDisabledShape,
        recent_login=True,
        operation_id="disableTotp",
        example=examples.TOTP_DISABLE,
    )
    def disable(self, request: Request) -> Response:
        """Switch the second factor off; every other session ends"""
        services.disable_totp(by=self.by, session_id=self.by.session_id)
        return self.ok({"mfa_enabled": False})


class PasswordViewSet(_OwnSecurity):
    """Passwords: changed, forgotten, chosen by a mailed link."""

    resource = "password"

    def perform_authentication(self, request: Request) -> None:
        """At the public doors an old Authorization header is no reason to refuse."""
        if self.action in ("forgot", "reset"):
            request.user = None  # type: ignore[assignment]  # DRF's word for a stranger is configured to None
            return
        super().perform_authentication(request)

    def limit_key(self, request: Request) -> str:
        """Public doors are counted by address and name, or token."""
        if self.action in ("forgot", "reset"):
            sent = request.data if isinstance(request.data, dict) else {}
            return f"{self.action}:{sign_in.who(sent.get('email') or sent.get('username') or sent.get('token'))}"
        return super().limit_key(request)

    @endpoint(
        permission=Permission.OWN_SECURITY,
        request=shapes.ChangePasswordBody,
        response=shapes.PasswordChangedShape,
        rate_class=RateClass.AUTH,
        operation_id="changePassword",
        example=examples.CHANGE,
    )
    def change(self, request: Request) -> Response:
        """Change my password

        Every other session ends, in browsers too; this one goes on. API keys go on too, unless `revoke_api_keys` is true.
        """
        body = self.parse()
        services.change_password(
            by=self.by,
            session_id=self.by.session_id,
            current=body["current_password"],
            new=body["new_password"],
            revoke_api_keys=body["revoke_api_keys"],
        )
        return self.ok({"password_changed": True})

    @endpoint(
        permission=PUBLIC,
        request=shapes.ForgotBody,
        response=shapes.ForgotShape,
        rate_class=RateClass.AUTH,
        operation_id="forgotPassword",
        example=examples.FORGOT,
    )
    def forgot(self, request: Request) -> Response:
        """Ask for a link to choose a new password

        The answer is the same whether or not there is such an account. Beside the limit below, an address has thirty requests a
        minute and a name ten.
        """
        services.request_password_reset(identifier=self.parse()["identifier"], place=services.SignInPlace(context.current().ip))
        return self.ok({"accepted": True})

    @endpoint(
        permission=PUBLIC,
        request=shapes.ResetBody,
        response=shapes.PasswordChangedShape,
        rate_class=RateClass.AUTH,
        operation_id="resetPassword",
        example=examples.RESET,
    )
    def reset(self, request: Request) -> Response:
        """Choose a new password by a mailed link; every session ends, and every API key is revoked"""
        body = self.parse()
        place = services.SignInPlace(context.current().ip)
        services.reset_password(token=body["token"], password=body["new_password"], place=place)
        return self.ok({"password_changed": True})


class SessionViewSet(HimsViewSet):
    """One's own sessions over the API."""

    resource = "session"
    plural = "sessions"
    tag = "Authentication"
    data_key = ""

    @endpoint(
        permission=Permission.OWN_SESSION, response=shapes.SessionShape, operation_id="listSessions", example=examples.SESSIONS
    )
    def list(self, request: Request) -> Response:
        """My live sessions, the latest used first"""
        return self.page("sessions", selectors.own_sessions(self.by.id), paging.exact, self._shape)

    @endpoint(permission=Permission.OWN_SESSION, response=shapes.EndedSessionShape, operation_id="endSession")
    def destroy(self, request: Request, pk: str) -> Response:
        """End one of my sessions"""
        return self.ok({"session": self._shape(services.end_own_session(by=self.by, session_id=self.id_in_path()))})

    @endpoint(permission=Permission.OWN_SESSION, response=shapes.SessionsEndedShape, operation_id="endOtherSessions")
    def end_others(self, request: Request) -> Response:
        """End all my sessions but this one, in browsers too"""
        return self.ok({"ended": services.end_other_sessions(by=self.by, keep_session_id=self.by.session_id)})

    def _shape(self, session: Session) -> dict[str, Any]:
        return {
            "id": session.pk,
            "current": session.pk == self.by.session_id,
            "started_at": session.started_at,
            "last_seen_at": session.last_seen_at,
            "expires_at": session.expires_at,
            "ended_at": session.ended_at,
            "ip": session.ip,
            "user_agent": session.user_agent,
        }
