"""Developer pages."""

urlpatterns: list = []
