"""Pages that are one static file each, for when neither database nor session is available, or the form was not read."""

from functools import cache

from django.conf import settings
from django.http import HttpResponse

from apps.common.errors import HimsError, Unavailable


def page(error: HimsError | type[HimsError] = Unavailable) -> HttpResponse:
    """Returns the page of this error (408, 413 or 503) with its status, and Retry-After if the error has one."""
    refusal = error() if isinstance(error, type) else error
    headers = {**refusal.headers, "Cache-Control": "no-store"}
    return HttpResponse(_read(refusal.status), status=refusal.status, headers=headers)


@cache
def _read(status: int) -> bytes:
    return (settings.BASE_DIR / "templates" / f"{status}.html").read_bytes()
