"""Developer pages."""

from django.urls import path

from apps.developers.pages import views

urlpatterns = [
    path("", views.index, name="developers"),
    path("errors", views.errors, name="developers-errors"),
    path("changelog", views.changes, name="developers-changelog"),
    path("deprecations", views.deprecations, name="developers-deprecations"),
    path("guarantees", views.guarantees, name="developers-guarantees"),
    path("explorer", views.Explorer.as_view(), name="developers-explorer"),
    path("explorer.json", views.explorer_file, name="developers-explorer-file"),
    path("redoc", views.Redoc.as_view(), name="developers-redoc"),
]
