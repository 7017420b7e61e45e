"""The OpenAPI file, under /v1."""

urlpatterns: list = []
