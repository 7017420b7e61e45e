"""Routes of notifications."""

from django.urls import path

from apps.notifications.api.views import AllNotificationsViewSet, NotificationViewSet, SentNotificationViewSet

urlpatterns = [
    path("notifications", NotificationViewSet.as_view({"get": "list", "post": "create"}), name="notifications"),
    path("notifications/read-all", AllNotificationsViewSet.as_view({"post": "read_all"}), name="notifications-read-all"),
    path("notifications/sent/<str:pk>", SentNotificationViewSet.as_view({"get": "retrieve"}), name="notification-sent"),
    path("notifications/<str:pk>/read", NotificationViewSet.as_view({"put": "read"}), name="notification-read"),
]
