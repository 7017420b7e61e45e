"""`manage.py load_rxnorm FOLDER`: add the drugs of RxNorm's Current Prescribable Content (docs/medicines.md)."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from apps.prescriptions.catalogue import rxnorm_files
from apps.prescriptions.management.commands.load_drugs import load_from


class Command(BaseCommand):
    help = "Add the drugs of the files RXNCONSO.RRF, RXNREL.RRF and RXNSAT.RRF in a folder, all or nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="the folder rrf of the unpacked release")

    def handle(self, *, folder: Path, **_: Any) -> None:
        """Any refusal is a CommandError: exit code 1."""
        load_from(lambda: rxnorm_files.read(folder), self.stdout)
