"""The OpenAPI file of the last release, kept in the project: what integrators go by, and what no change may break."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings

from apps.developers.contract import breaking_changes, changelog, openapi, stated_limits

FILE = Path(settings.BASE_DIR) / "docs" / "openapi" / f"{settings.API_VERSION}.json"


def released_schema() -> dict[str, Any]:
    """The file as it was released."""
    file: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return file


def current_schema() -> dict[str, Any]:
    """The file of the running code, without what is this server's alone: its address, and the sandbox's own paths."""
    file = openapi.as_dict()
    del file["servers"]
    file["paths"] = {path: methods for path, methods in file["paths"].items() if not path.startswith("/sandbox/")}
    file["tags"] = [tag for tag in file["tags"] if tag["name"] != "Sandbox"]
    return file


def breaks() -> list[str]:
    """What the current file takes away from the released one, less what the changelog says was widened on purpose, and less the
    limits that the server has always had and the file did not state."""
    known = {*changelog.RELEASES[0].widened, *stated_limits.LINES}
    return [line for line in breaking_changes.breaks(released_schema(), current_schema()) if line not in known]


def write_release() -> None:
    """Make the current file the released one."""
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(json.dumps(current_schema(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
