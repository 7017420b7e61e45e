"""Routes of sign-in, API keys, users and doctors."""

from django.urls import path

from apps.accounts.api.api_keys import ApiKeyViewSet
from apps.accounts.api.security import MfaViewSet, PasswordViewSet, ReauthenticationViewSet, SessionViewSet
from apps.accounts.api.users import UserSessionsViewSet, UserViewSet
from apps.accounts.api.views import AuthViewSet, DoctorViewSet, MeViewSet

urlpatterns = [
    path("auth/login", AuthViewSet.as_view({"post": "login"}), name="auth-login"),
    path("auth/refresh", AuthViewSet.as_view({"post": "refresh"}), name="auth-refresh"),
    path("auth/logout", AuthViewSet.as_view({"post": "logout"}), name="auth-logout"),
    path("auth/me", MeViewSet.as_view({"get": "retrieve", "put": "update", "patch": "partial_update"}), name="auth-me"),
    path("auth/reauthenticate", ReauthenticationViewSet.as_view({"post": "reauthenticate"}), name="auth-reauthenticate"),
    path("auth/mfa/totp", MfaViewSet.as_view({"post": "begin", "delete": "disable"}), name="auth-mfa-totp"),
    path("auth/mfa/totp/confirm", MfaViewSet.as_view({"post": "confirm"}), name="auth-mfa-confirm"),
    path("auth/mfa/recovery-codes", MfaViewSet.as_view({"post": "renew_codes"}), name="auth-mfa-codes"),
    path("auth/password/change", PasswordViewSet.as_view({"post": "change"}), name="auth-password-change"),
    path("auth/password/forgot", PasswordViewSet.as_view({"post": "forgot"}), name="auth-password-forgot"),
    path("auth/password/reset", PasswordViewSet.as_view({"post": "reset"}), name="auth-password-reset"),
    path("auth/sessions", SessionViewSet.as_view({"get": "list", "delete": "end_others"}), name="auth-sessions"),
    path("auth/sessions/<str:pk>", SessionViewSet.as_view({"delete": "destroy"}), name="auth-session"),
    path("api-keys", ApiKeyViewSet.as_view({"get": "list", "post": "create"}), name="api-keys"),
    path("api-keys/<str:pk>", ApiKeyViewSet.as_view({"get": "retrieve", "delete": "destroy"}), name="api-key"),
    path("api-keys/<str:pk>/rotate", ApiKeyViewSet.as_view({"post": "rotate"}), name="api-key-rotate"),
    path("users", UserViewSet.as_view({"get": "list", "post": "create"}), name="users"),
    path(
        "users/<str:pk>",
        UserViewSet.as_view({"get": "retrieve", "put": "update", "patch": "partial_update"}),
        name="user",
    ),
    path("users/<str:pk>/deactivate", UserViewSet.as_view({"post": "deactivate"}), name="user-deactivate"),
    path("users/<str:pk>/reactivate", UserViewSet.as_view({"post": "reactivate"}), name="user-reactivate"),
    path("users/<str:pk>/reset-mfa", UserViewSet.as_view({"post": "reset_mfa"}), name="user-reset-mfa"),
    path("users/<str:pk>/revoke-sessions", UserSessionsViewSet.as_view({"post": "revoke"}), name="user-revoke-sessions"),
    path("doctors", DoctorViewSet.as_view({"get": "list"}), name="doctors"),
    path("doctors/<str:pk>", DoctorViewSet.as_view({"get": "retrieve"}), name="doctor"),
]
