"""Asks the web server whether it is ready; `python -m hims.launch.health` is the container's health check."""

import http.client
import os
import sys


def is_ready(port: int) -> bool:
    """Whether /health/ready on this machine answers 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health/ready", headers={"Host": _host(port)})
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _host(port: int) -> str:
    """A name the installation answers to; production knows no 127.0.0.1."""
    first = os.environ.get("HIMS_ALLOWED_HOSTS", "").split(",")[0].strip()
    return first.lstrip(".") or f"127.0.0.1:{port}"


if __name__ == "__main__":
    sys.exit(0 if is_ready(int(os.environ.get("HIMS_PORT") or 8000)) else 1)
