"""`manage.py load_icd10`: take over the ICD-10-CM release that is installed, or one in the CDC's files (docs/terminology.md)."""

from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from apps.common.errors import HimsError
from apps.terminology import selectors, services
from apps.terminology.icd10 import release_files
from apps.terminology.icd10.release_files import CodeEntry, Release
from apps.terminology.models import IcdRelease


class Command(BaseCommand):
    help = (
        "Load the ICD-10-CM release of the package simple-icd-10-cm, all or nothing. A second run changes "
        "nothing. For the CDC's own files, use --tabular, --codes and --effective-from."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tabular", type=Path, help="the CDC's XML of the tabular list")
        parser.add_argument("--codes", type=Path, help="the CDC's text file with all codes of that release")
        parser.add_argument("--effective-from", type=date.fromisoformat, help="the first date of service, like 2026-10-01")

    def handle(self, *, tabular: Path | None, codes: Path | None, effective_from: date | None, **_: Any) -> None:
        """Any refusal is a CommandError: exit code 1."""
        arguments = (tabular, codes, effective_from)
        if any(arguments) and not all(arguments):
            raise CommandError("--tabular, --codes and --effective-from go together: name all three, or none.")
        try:
            release = _in_files(tabular, effective_from) if tabular and effective_from else release_files.installed_release()
            loaded = None if selectors.is_loaded(release.name) else self._load(release, tabular, codes)
        except (HimsError, release_files.UnknownPackage) as refusal:
            raise CommandError(str(refusal)) from refusal
        except OperationalError as problem:
            raise CommandError(
                f"The database did not answer: {problem}. Nothing was changed; run the command again."
            ) from problem
        self.stdout.write(_summary(release, loaded))

    def _load(self, release: Release, tabular: Path | None, codes: Path | None) -> IcdRelease | None:
        self.stdout.write(f"Loading ICD-10-CM {release.name} ...")
        self.stdout.flush()
        return _load(release, _read(tabular, codes))


def _in_files(tabular: Path, first_day: date) -> Release:
    return Release(f"{first_day:%Y-%m}", first_day, tabular.name)


def _read(tabular: Path | None, codes: Path | None) -> list[CodeEntry]:
    try:
        return release_files.read(tabular, codes)
    except OSError as problem:
        raise CommandError(f"The file cannot be read: {problem}.") from problem
    except (ValueError, SyntaxError) as problem:  # what is wrong with an XML is a SyntaxError
        raise CommandError(f"The files are not those of an ICD-10-CM release: {problem}.") from problem


def _load(release: Release, entries: list[CodeEntry]) -> IcdRelease | None:
    console = Console(stderr=True)
    columns = (TextColumn("ICD-10-CM codes"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("", total=len(entries))
        return services.load(
            release=release, entries=entries, watch=lambda done, total: progress.update(bar, completed=done, total=total)
        )


def _summary(release: Release, loaded: IcdRelease | None) -> str:
    if loaded is None:
        return f"ICD-10-CM {release.name} is loaded already."
    return f"Loaded ICD-10-CM {loaded.name}: {loaded.codes:,} codes, {loaded.billable:,} of them billable."
