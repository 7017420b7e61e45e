"""Shapes of sign-in, tokens, oneself and doctors."""

from rest_framework import serializers

from apps.access.roles import STAFF
from apps.rest.serializers import StrictSerializer


class LoginBody(StrictSerializer):
    username = serializers.CharField(max_length=254)
    password = serializers.CharField(max_length=128, trim_whitespace=False)
    mfa_code = serializers.CharField(
        max_length=20,
        required=False,
        allow_blank=True,
        allow_null=True,
        help_text="Ignored for an account without a second factor",
    )


class RefreshBody(StrictSerializer):
    refresh_token = serializers.CharField(max_length=2_000)


class LogoutBody(StrictSerializer):
    all_sessions = serializers.BooleanField(default=False, help_text="End every session of yours, not just this one")


class MeBody(StrictSerializer):
    email = serializers.EmailField(max_length=254, required=False)
    first_name = serializers.CharField(max_length=100, required=False)
    last_name = serializers.CharField(max_length=100, required=False)


class UserShape(serializers.Serializer):
    id = serializers.UUIDField()
    username = serializers.CharField()
    email = serializers.EmailField()
    role = serializers.ChoiceField(choices=[role.value for role in STAFF])
    first_name = serializers.CharField()
    last_name = serializers.CharField()


class TokensShape(serializers.Serializer):
    access_token = serializers.CharField()
    refresh_token = serializers.CharField(help_text="Good for one use")
    expires_in = serializers.IntegerField(help_text="Seconds until the access token expires")


class SignedInShape(serializers.Serializer):
    user = UserShape()
    tokens = TokensShape()


class RefreshedShape(serializers.Serializer):
    tokens = TokensShape()


class LoggedOutShape(serializers.Serializer):
    logged_out = serializers.BooleanField()


class DoctorShape(serializers.Serializer):
    id = serializers.UUIDField(help_text="The doctor's user id: wherever a doctor_id is asked for")
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    specialty = serializers.CharField()
    npi = serializers.CharField(allow_blank=True, help_text="National Provider Identifier")
    languages = serializers.ListField(child=serializers.CharField(), help_text="BCP 47 codes")
