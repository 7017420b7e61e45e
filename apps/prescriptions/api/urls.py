"""Routes of medicines."""

from django.urls import path

from apps.prescriptions.api.drugs import DrugViewSet
from apps.prescriptions.api.knowledge import InteractionViewSet

urlpatterns = [
    path("pharmacy/drugs", DrugViewSet.as_view({"get": "list", "post": "create"}), name="drugs"),
    path("pharmacy/drugs/<str:pk>", DrugViewSet.as_view({"get": "retrieve", "put": "update"}), name="drug"),
    path("pharmacy/interactions", InteractionViewSet.as_view({"get": "list"}), name="interactions"),
]
