"""The patients app."""

from apps.common.domain import DomainConfig, Periodic
from apps.common.row_counters import RowCounter
from apps.patients.api.descriptions import DESCRIPTIONS

ROW_COUNTER = RowCounter(
    "patients_rowcounter",
    counted="patients_patient",
    columns={"listed": "merged_into_id IS NULL", "active": "is_active AND merged_into_id IS NULL"},
    changes_with=("is_active", "merged_into_id"),
    block_by="seq",
    block_bits=(14, 8),
)


class PatientsConfig(DomainConfig):
    name = "apps.patients"
    floor = 5
    descriptions = DESCRIPTIONS
    api_urls = "apps.patients.api.urls"
    row_counters = (ROW_COUNTER,)
    beat = {
        "find the common prefixes of names": Periodic("apps.patients.tasks.note_common_prefixes", every=3_600),
    }
    enum_names = {
        "Gender": "apps.patients.models.Gender",
        "AllergyStatus": "apps.patients.models.AllergyStatus",
        "CodeSystem": "apps.patients.chart.entry_types.CODE_SYSTEMS",
        "AllergyCategory": "apps.patients.api.serializers.details.CATEGORIES",
        "AllergyKind": "apps.patients.api.serializers.details.KINDS_OF_REACTION",
        "AllergyCriticality": "apps.patients.api.serializers.details.CRITICALITIES",
        "AllergyCertainty": "apps.patients.api.serializers.details.CERTAINTIES",
        "MeasurementFlag": "apps.patients.api.serializers.details.FLAGS",
        "EntryType": "apps.patients.chart.entry_types.ENTRY_TYPES",
        "EntrySource": "apps.patients.models.ChartEntry.Source",
        "ChartEntryExpansion": "apps.patients.api.serializers.responses.EXPANSIONS",
        "PatientStatus": "apps.patients.api.filters.STATUSES",
        "MergeRecord": "apps.patients.api.merges.RECORDS",
    }
