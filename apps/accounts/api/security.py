"""The own account security: second factor, password, reauthentication, and open sessions."""

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import events, selectors, services
from apps.accounts.api import examples
from apps.accounts.api import serializers as shapes
from apps.accounts.rights import Permission
from apps.common import context
from apps.rest import paging, sign_in
from apps.rest.endpoint import PUBLIC, endpoint
from apps.rest.limits import RateClass
from apps.rest.viewsets import HimsViewSet


class _OwnSecurity(HimsViewSet):
    """The base of these views: they return `data` without a key and appear under the heading of sign-in."""

    tag = "Authentication"
    data_key = ""

    def limit_key(self, request: Request) -> str:
        """Counts requests for a secret by session and action, separately from sign-in."""
        if self.endpoint.rate_class and request.user:
            return f"{self.action}:{self.by.session_id}"
        return super().limit_key(request)


class ReauthenticationViewSet(_OwnSecurity):
    """Confirms the password."""

    resource = "reauthentication"

    @endpoint(
        permission=Permission.OWN_SECURITY,
        request=shapes.ReauthenticateBody,
        response=shapes.ReauthenticatedShape,
        rate_class=RateClass.AUTH,
        example=examples.REAUTHENTICATE,
        refusals=(services.WrongPassword, services.MfaRequired, services.MfaInvalid),
        events=(events.Reauthenticated, events.RecoveryCodeUsed, events.SessionEnded),
    )
    def reauthenticate(self, request: Request) -> Response:
        """Confirm the password

        Confirms that the person at the keyboard is still the user. It is valid for five minutes in this session; a sign-in
        counts as well. An account with a second factor also sends `mfa_code`. Ten wrong passwords or codes in a row end the
        session.
        """
        body = self.parse()
        services.reauthenticate(
            by=self.by,
            session_id=self.by.session_id,
            password=body["password"],
            code=body.get("mfa_code") or "",
            place=services.SignInPlace(context.current().ip),
        )
        return self.reply({"reauthenticated": True, "expires_in": int(settings.REAUTHENTICATION_LIFETIME.total_seconds())})


class MfaViewSet(_OwnSecurity):
    """The second factor: an authenticator app (TOTP) and recovery codes."""

    resource = "mfa"

    @endpoint(
        permission=Permission.OWN_SECURITY,
        response=shapes.TotpReplyShape,
        recent_login=True,
        operation_id="beginTotp",
        example=examples.TOTP,
        refusals=(services.AlreadyEnrolled,),
    )
    def begin(self, request: Request) -> Response:
        """Start setting up an authenticator app

        Returns the secret as text, as a URI and as a QR code. Sign-in asks for no code until one has been confirmed. A new
        call voids the earlier secret, in whichever session it was shown.
        """
        enrolment = services.begin_totp(by=self.by, offered_to=self.by.session_id)
        return self.reply({"totp": enrolment})

    @endpoint(
        permission=Permission.OWN_SECURITY,
        request=shapes.CodeBody,
        response=shapes.MfaEnabledShape,
        rate_class=RateClass.AUTH,
        operation_id="confirmTotp",
        example=examples.TOTP_CONFIRM,
        refusals=(services.MfaInvalid, services.NotEnrolled, services.AlreadyEnrolled),
        events=(events.SecondFactorEnabled, events.SessionEnded),
    )
    def confirm(self, request: Request) -> Response:
        """Switch the second factor on

        Confirms the authenticator app with a code that it shows now, and returns recovery codes, which are shown only once.
        Only the session that was shown the secret can confirm it. All other sessions end, because they began without the
        second factor; this one continues.
        """
        session_id = self.by.session_id
        codes = services.confirm_totp(by=self.by, code=self.parse()["code"], offered_to=session_id, session_id=session_id)
        return self.reply({"mfa_enabled": True, "recovery_codes": codes})

    @endpoint(
        permission=Permission.OWN_SECURITY,
        response=shapes.RecoveryCodesShape,
        recent_login=True,
        operation_id="renewRecoveryCodes",
        example=examples.RECOVERY_CODES,
        refusals=(services.NotEnrolled,),
        events=(events.RecoveryCodesRenewed,),
    )
    def renew_codes(self, request: Request) -> Response:
        """Create new recovery codes

        Returns new recovery codes, which are shown only once. The old codes become void. An account without a second factor is
        refused.
        """
        return self.reply({"recovery_codes": services.renew_recovery_codes(by=self.by)})

    @endpoint(
        permission=Permission.OWN_SECURITY,
        response=shapes.MfaDisabledShape,
        recent_login=True,
        operation_id="disableTotp",
        example=examples.TOTP_DISABLE,
        refusals=(services.NotEnrolled,),
        events=(events.SecondFactorDisabled, events.SessionEnded),
    )
    def disable(self, request: Request) -> Response:
        """Switch the second factor off

        Removes the authenticator app and the recovery codes. All other sessions end; this one continues. An account without a
        second factor is refused.
        """
        services.disable_totp(by=self.by, session_id=self.by.session_id)
        return self.reply({"mfa_enabled": False})


class PasswordViewSet(_OwnSecurity):
    """Passwords: change, forgotten, set through a mailed link."""

    resource = "password"

    def perform_authentication(self, request: Request) -> None:
        """Ignores an old Authorization header on public endpoints instead of refusing it."""
        if self.action in ("forgot", "reset"):
            request.user = None  # type: ignore[assignment]  # DRF's word for a stranger is configured to None
            return
        super().perform_authentication(request)

    def limit_key(self, request: Request) -> str:
        """Counts public endpoints by address and name, or token."""
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
        refusals=(services.WrongPassword,),
        events=(events.StaffChanged, events.SessionEnded, events.ApiKeyRevoked),
    )
    def change(self, request: Request) -> Response:
        """Change my password

        Sets a new password after checking the current one. It has at least 15 characters, or 8 for an account with a second
        factor, and is not a common one. All other sessions end, in browsers too; this one continues. API keys continue too,
        unless `revoke_api_keys` is true. Ten wrong passwords in a row end the session.
        """
        body = self.parse()
        services.change_password(
            by=self.by,
            session_id=self.by.session_id,
            current=body["current_password"],
            new=body["new_password"],
            revoke_api_keys=body["revoke_api_keys"],
        )
        return self.reply({"password_changed": True})

    @endpoint(
        permission=PUBLIC,
        request=shapes.ForgotBody,
        response=shapes.ForgotShape,
        rate_class=RateClass.AUTH,
        operation_id="forgotPassword",
        example=examples.FORGOT,
        events=(events.PasswordResetRequested,),
    )
    def forgot(self, request: Request) -> Response:
        """Request a link to choose a new password

        Mails a link that is valid for 30 minutes to the account with this e-mail address or username. The reply is the same
        whether or not the account exists. In addition to the limit below, an address has thirty requests a minute and a name
        ten.
        """
        services.request_password_reset(identifier=self.parse()["identifier"], place=services.SignInPlace(context.current().ip))
        return self.reply({"accepted": True})

    @endpoint(
        permission=PUBLIC,
        request=shapes.ResetBody,
        response=shapes.PasswordChangedShape,
        rate_class=RateClass.AUTH,
        operation_id="resetPassword",
        example=examples.RESET,
        refusals=(services.InvalidLink,),
        events=(events.StaffChanged, events.SessionEnded, events.ApiKeyRevoked),
    )
    def reset(self, request: Request) -> Response:
        """Choose a new password through a mailed link

        Sets the password of the account to which the link was mailed. The link works once; all sessions of the account end and
        all its API keys are revoked, because an attacker may have used them. A password that breaks the rules leaves the link
        valid.
        """
        body = self.parse()
        place = services.SignInPlace(context.current().ip)
        services.reset_password(token=body["token"], password=body["new_password"], place=place)
        return self.reply({"password_changed": True})


class SessionViewSet(HimsViewSet):
    """The own API sessions."""

    resource = "session"
    plural = "sessions"
    tag = "Authentication"
    data_key = ""

    @endpoint(
        permission=Permission.OWN_SESSION, response=shapes.SessionShape, operation_id="listSessions", example=examples.SESSIONS
    )
    def list(self, request: Request) -> Response:
        """List my sessions

        Returns the caller's live API sessions, the most recently used first. `current` marks the session of this request.
        Sessions of browsers are not listed.
        """
        return self.page(paging.page_of(selectors.own_sessions(self.by.id), self.window, paging.exact))

    @endpoint(
        permission=Permission.OWN_SESSION,
        response=shapes.EndedSessionShape,
        operation_id="endSession",
        refusals=(services.AlreadyEnded,),
        events=(events.SessionEnded,),
    )
    def destroy(self, request: Request, pk: str) -> Response:
        """End one of my sessions

        Ends the session: its tokens are refused at once. It may be the session of this request. A session that has already
        ended is refused.
        """
        return self.reply({"session": services.end_own_session(by=self.by, session_id=self.id_in_path())})

    @endpoint(
        permission=Permission.OWN_SESSION,
        response=shapes.SessionsEndedShape,
        operation_id="endOtherSessions",
        events=(events.SessionEnded,),
    )
    def end_others(self, request: Request) -> Response:
        """End all my other sessions

        Ends all sessions of the caller but this one, in browsers too. `ended` counts the API sessions that ended. API keys
        continue to work.
        """
        return self.reply({"ended": services.end_other_sessions(by=self.by, keep_session_id=self.by.session_id)})
