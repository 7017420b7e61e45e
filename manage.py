#!/usr/bin/env python
"""Django's command line, talking to the same embedded servers as the running system."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from hims import env
from hims.launch import embedded


def main() -> None:
    try:
        env.default_to_sandbox()
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    if sys.argv[1:] and sys.argv[1] in env.OWNER_COMMANDS:
        env.use_owner_role()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", env.settings_module())
    with embedded.servers():
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
