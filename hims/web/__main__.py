"""`python -m hims.web`: the web server of one installation, as `make run` and the container start it."""

import argparse
import importlib
import os

from django.conf import settings
from django.db import connections

from hims.web import collector, server
from hims.web.translation import Application

STOP_WITHIN = 10  # seconds


def main() -> None:
    """Load the application, then fork the workers."""
    options = _options()
    application = _load(options.application)
    server.serve(application, host=options.host, port=options.port, workers=options.workers, stop_within=STOP_WITHIN)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m hims.web", description=__doc__)
    parser.add_argument("application", nargs="?", default="hims.wsgi:application", help="module:name of a WSGI application")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=int(os.environ.get("HIMS_PORT") or 8000))
    parser.add_argument("--workers", type=int, default=2)
    return parser.parse_args()


def _load(name: str) -> Application:
    module, _, attribute = name.partition(":")
    application: Application = getattr(importlib.import_module(module), attribute)
    if settings.configured:
        connections.close_all()  # the workers must not share one
    collector.before_fork()
    return application


if __name__ == "__main__":
    main()
