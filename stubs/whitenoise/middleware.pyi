# What HIMS uses of WhiteNoise, which has no types of its own.

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

class WhiteNoiseMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None: ...
    def __call__(self, request: HttpRequest) -> HttpResponseBase: ...
