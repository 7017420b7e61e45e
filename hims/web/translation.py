"""Translates between granian's request (RSGI) and Django's handler (WSGI, PEP 3333)."""

import sys
from collections.abc import Callable
from functools import lru_cache
from io import BufferedReader, BytesIO
from typing import Any

from apps.common.errors import HimsError

Application = Callable[[dict[str, Any], Callable[..., Any]], Any]

_CONSTANT: dict[str, Any] = {
    "GATEWAY_INTERFACE": "CGI/1.1",
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.input_terminated": True,
    "wsgi.multithread": False,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}
# Marks a value that is not ASCII, which granian names but does not list: an Idempotency-Key or If-Match with such a value is
# refused, not ignored.
_UNREADABLE = "\xff"


class StartResponse:
    """The status and headers that the application sets."""

    def __init__(self) -> None:
        self.status = 500
        self.headers: list[tuple[str, str]] = []

    def __call__(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        self.status = int(status[:3])
        self.headers = headers


def respond(application: Application, scope: Any, proto: Any, body: bytes, refusal: type[HimsError] | None = None) -> None:
    """Lets the application handle one request. With `refusal` it replies with that error, without reading the body."""
    start = StartResponse()
    result = application(environ(scope, body, refusal), start)
    try:
        if path := _file_of(result):
            proto.response_file(start.status, start.headers, path)
        elif getattr(result, "streaming", False):
            _stream(proto, start, result)
        else:
            proto.response_bytes(start.status, start.headers, b"".join(result))
    finally:
        if hasattr(result, "close"):
            result.close()


def environ(scope: Any, body: bytes, refusal: type[HimsError] | None = None) -> dict[str, Any]:
    """Returns the WSGI environ of a request whose body has arrived."""
    server, _, port = scope.server.rpartition(":")
    made = _CONSTANT | {
        "REQUEST_METHOD": scope.method,
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "HTTP_HOST": "",  # never SERVER_NAME, which Django would use for a missing Host
        "SERVER_NAME": server.strip("[]"),
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": BytesIO(body),
    }
    for header, value in scope.headers.items():
        name = _variable(header)
        if made.get(name):
            made[name] += ("; " if name == "HTTP_COOKIE" else ",") + value
        elif name:
            made[name] = value
    for header in scope.headers.keys():  # noqa: SIM118  # no mapping: a header may have several values
        if name := _variable(header):
            made.setdefault(name, _UNREADABLE)
    if body:
        made["CONTENT_LENGTH"] = str(len(body))  # a body in chunks has none, and Django would read nothing
    if refusal is not None:
        made["hims.refusal"] = refusal
    return made


@lru_cache(maxsize=512)
def _variable(header: str) -> str:
    """Returns the environ's name of a header; none for a header with an underscore, which could imitate another
    (`X_Forwarded_For`)."""
    if "_" in header:
        return ""
    name = header.upper().replace("-", "_")
    return name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"


def _file_of(result: Any) -> str:
    """Returns the path of the whole file that a FileResponse sends: the server reads it at the client's speed."""
    file = getattr(result, "file_to_stream", None)
    return file.name if isinstance(file, BufferedReader) and isinstance(file.name, str) and not file.tell() else ""


def _stream(proto: Any, start: StartResponse, chunks: Any) -> None:
    """Sends chunks as they are made. The server keeps in memory what a slow client has not read: send a large reply as a file."""
    transport = proto.response_stream(start.status, start.headers)
    for chunk in chunks:
        transport.send_bytes(chunk)
