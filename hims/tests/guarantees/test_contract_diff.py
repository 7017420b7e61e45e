"""No change breaks the last release: its OpenAPI file is in docs/openapi/."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from apps.developers.contract import changelog, released


def test_the_current_api_keeps_what_was_released() -> None:
    broken = released.breaks()
    assert not broken, "\n".join([*broken, "v1 takes nothing away: see docs/guarantees.md."])


def test_what_was_widened_on_purpose_is_explained_in_the_changelog() -> None:
    newest = changelog.RELEASES[0]
    fields = {line.partition(":")[0].removesuffix(" may now be missing").rpartition(".")[2] for line in newest.widened}
    assert not [field for field in fields if not any(field in line for line in newest.changed)]


def test_the_released_file_holds_nothing_of_this_server() -> None:
    kept = released.released_schema()
    assert "servers" not in kept
    assert not [path for path in kept["paths"] if path.startswith("/sandbox")]
    assert len(kept["paths"]) > 10


def test_taking_something_away_stops_the_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(released, "FILE", tmp_path / "v1.json")
    call_command("contract", "release")
    call_command("contract", "check")
    before = released.FILE.read_text()
    now = released.current_schema()
    del now["components"]["schemas"]["Patient"]["properties"]["mrn"]
    monkeypatch.setattr(released, "current_schema", lambda: now)
    for act in ("check", "release"):
        with pytest.raises(CommandError, match=r"patient\.mrn was removed"):
            call_command("contract", act)
    assert released.FILE.read_text() == before
