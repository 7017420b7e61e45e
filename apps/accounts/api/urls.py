"""Routes of sign-in and doctors."""

from django.urls import path

from apps.accounts.api.views import AuthViewSet, DoctorViewSet, MeViewSet

urlpatterns = [
    path("auth/login", AuthViewSet.as_view({"post": "login"}), name="auth-login"),
    path("auth/refresh", AuthViewSet.as_view({"post": "refresh"}), name="auth-refresh"),
    path("auth/logout", AuthViewSet.as_view({"post": "logout"}), name="auth-logout"),
    path("auth/me", MeViewSet.as_view({"get": "retrieve", "put": "update", "patch": "partial_update"}), name="auth-me"),
    path("doctors", DoctorViewSet.as_view({"get": "list"}), name="doctors"),
    path("doctors/<str:pk>", DoctorViewSet.as_view({"get": "retrieve"}), name="doctor"),
]
