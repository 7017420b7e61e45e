"""Serializers of sign-in, tokens, the own account and doctors."""

from typing import Any

from rest_framework import serializers
from rest_framework.fields import SkipField

from apps.access.roles import STAFF
from apps.rest.response_serializers import ResponseSerializer
from apps.rest.serializers import EmailAddressField, NameField, OnceField, StrictSerializer


class LoginBody(StrictSerializer):
    username = serializers.CharField(max_length=254)
    password = serializers.CharField(max_length=128, trim_whitespace=False)
    mfa_code = serializers.CharField(
        max_length=20,
        required=False,
        allow_blank=True,
        allow_null=True,
        help_text="The code of the authenticator app, or a recovery code. Ignored for an account without a second factor",
    )


class RefreshBody(StrictSerializer):
    refresh_token = serializers.CharField(max_length=2_000)


class LogoutBody(StrictSerializer):
    all_sessions = serializers.BooleanField(default=False, help_text="End all your sessions, not only this one")


ONE_OF_TWO = "One of first_name and last_name may be empty"


class MeBody(StrictSerializer):
    email = EmailAddressField(max_length=254, required=False)
    first_name = NameField(max_length=100, required=False, allow_blank=True, help_text=ONE_OF_TWO)
    last_name = NameField(max_length=100, required=False, allow_blank=True, help_text=ONE_OF_TWO)


class UserShape(ResponseSerializer):
    id = serializers.UUIDField()
    username = serializers.CharField()
    email = serializers.EmailField()
    role = serializers.ChoiceField(choices=[role.value for role in STAFF])
    first_name = serializers.CharField(allow_blank=True)
    last_name = serializers.CharField(allow_blank=True)


class TokensShape(ResponseSerializer):
    access_token = OnceField()
    refresh_token = OnceField(help_text="Good for one use")
    expires_in = serializers.IntegerField(help_text="Seconds until the access token expires")


class SignedInShape(ResponseSerializer):
    user = UserShape()
    tokens = TokensShape()
    mfa_enrollment_required = serializers.BooleanField(
        required=False,
        help_text="Present and true if the role requires a second factor that is not set up: the tokens work only for "
        "/auth/mfa/*, /auth/password/change, /auth/reauthenticate and /auth/logout",
    )

    @staticmethod
    def get_mfa_enrollment_required(signed_in: Any) -> bool:
        if not signed_in.enrollment_only:
            raise SkipField
        return True


class RefreshedShape(ResponseSerializer):
    tokens = TokensShape()


class LoggedOutShape(ResponseSerializer):
    logged_out = serializers.BooleanField()


class ReauthenticateBody(StrictSerializer):
    password = serializers.CharField(max_length=128, trim_whitespace=False)
    mfa_code = serializers.CharField(
        max_length=20, required=False, allow_blank=True, allow_null=True, help_text="Required if a second factor is set up"
    )


class ReauthenticatedShape(ResponseSerializer):
    reauthenticated = serializers.BooleanField()
    expires_in = serializers.IntegerField(
        help_text="Seconds during which the session may perform operations that require a recent password"
    )


class TotpShape(ResponseSerializer):
    secret = OnceField(help_text="The seed in base32, for typing it in without a camera")
    otpauth_uri = OnceField(help_text="The same as a URI that authenticator apps open")
    qr_svg = OnceField(help_text="The URI as a QR code: an SVG element")


class TotpReplyShape(ResponseSerializer):
    totp = TotpShape()


class CodeBody(StrictSerializer):
    code = serializers.CharField(max_length=20, help_text="The six digits that the app shows now")


class MfaEnabledShape(ResponseSerializer):
    mfa_enabled = serializers.BooleanField()
    recovery_codes = serializers.ListField(child=OnceField(), help_text="Each works once. Never shown again")


class RecoveryCodesShape(ResponseSerializer):
    recovery_codes = serializers.ListField(child=OnceField(), help_text="Each works once. Never shown again")


class MfaDisabledShape(ResponseSerializer):
    mfa_enabled = serializers.BooleanField()


class ChangePasswordBody(StrictSerializer):
    current_password = serializers.CharField(max_length=128, trim_whitespace=False)
    new_password = serializers.CharField(
        max_length=128, trim_whitespace=False, help_text="At least 15 characters, or 8 with a second factor; any characters"
    )

    revoke_api_keys = serializers.BooleanField(
        default=False, help_text="Also revoke all your API keys: programs that use them stop working immediately"
    )


class PasswordChangedShape(ResponseSerializer):
    password_changed = serializers.BooleanField()


class ForgotBody(StrictSerializer):
    """Either the e-mail or the username."""

    email = serializers.CharField(max_length=254, required=False, allow_blank=True)
    username = serializers.CharField(max_length=254, required=False, allow_blank=True)

    def validate(self, attrs: dict[str, str]) -> dict[str, str]:
        sent = [text for text in attrs.values() if text]
        if len(sent) != 1:
            raise serializers.ValidationError({"email": ["Send either the e-mail or the username of the account."]})
        return {"identifier": sent[0]}


class ForgotShape(ResponseSerializer):
    accepted = serializers.BooleanField(help_text="Always true, whether or not the account exists")


class ResetBody(StrictSerializer):
    token = serializers.CharField(max_length=200, help_text="The value of `token=` in the mailed link")
    new_password = serializers.CharField(
        max_length=128, trim_whitespace=False, help_text="At least 15 characters, or 8 with a second factor; any characters"
    )


class SessionShape(ResponseSerializer):
    id = serializers.UUIDField()
    current = serializers.BooleanField(help_text="The session of this request")
    started_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    ip = serializers.CharField(allow_null=True)
    user_agent = serializers.CharField(allow_blank=True)

    @staticmethod
    def get_current(session: Any, by: Any) -> bool:
        return bool(session.pk == by.session_id)


class EndedSessionShape(ResponseSerializer):
    session = SessionShape()


class SessionsEndedShape(ResponseSerializer):
    ended = serializers.IntegerField(help_text="The number of other API sessions that ended; browser sessions end too")


class DoctorShape(ResponseSerializer):
    id = serializers.UUIDField(source="pk", help_text="The doctor's user id: the value of every doctor_id")
    first_name = serializers.CharField(source="user.first_name", allow_blank=True)
    last_name = serializers.CharField(source="user.last_name", allow_blank=True)
    specialty = serializers.CharField()
    npi = serializers.CharField(allow_blank=True, help_text="National Provider Identifier")
    languages = serializers.ListField(child=serializers.CharField(), help_text="BCP 47 codes")
