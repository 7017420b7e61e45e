"""Routes of consultations."""

from django.urls import path

from apps.consultations.api.views import ConsultationViewSet

_ACTIONS = {
    "complete": "complete",
    "addenda": "addenda",
    "hold": "hold",
    "resume": "resume",
    "cancel": "cancel",
    "ready": "ready",
}

urlpatterns = [
    path("consultations", ConsultationViewSet.as_view({"get": "list", "post": "create"}), name="consultations"),
    path("consultations/<str:pk>", ConsultationViewSet.as_view({"get": "retrieve"}), name="consultation"),
    path("consultations/<str:pk>/step", ConsultationViewSet.as_view({"put": "step"}), name="consultation-step"),
    *(
        path(f"consultations/<str:pk>/{word}", ConsultationViewSet.as_view({"post": action}), name=f"consultation-{word}")
        for word, action in (_ACTIONS | {"hand-over": "hand_over"}).items()
    ),
]
