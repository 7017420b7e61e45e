"""The patient, other systems' numbers, the search words, and the chart."""

from datetime import datetime, timedelta
from typing import Self

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import ExpressionWrapper, F, Func, Q
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy

from apps.access.actor import Actor
from apps.accounts.models import User
from apps.common import clock
from apps.common.emails import EmailAddressField
from apps.common.models import BaseModel, ClosedQuerySet
from apps.common.prepared import Slot
from apps.common.text import HIDDEN, filed_name, full_name, isolated
from apps.patients import rights
from apps.patients.chart import page_dates
from apps.patients.chart.dates import Birth, Precision
from apps.patients.chart.entry_types import ENTERED_IN_ERROR, CodeSystem, EntryType
from apps.patients.confidentiality.models import open_to
from apps.patients.matching.models import DuplicateCandidate, DuplicateScan
from apps.patients.merging.models import Merge, MergedRow, MergeTriage, NotDuplicate
from apps.patients.rights import Permission

__all__ = [
    "AllergyStatus",
    "ChartEntry",
    "ChartQuerySet",
    "CommonPrefix",
    "DuplicateCandidate",
    "DuplicateScan",
    "Gender",
    "Merge",
    "MergeTriage",
    "MergedRow",
    "NameWord",
    "NotDuplicate",
    "Patient",
    "PatientIdentifier",
    "PatientQuerySet",
    "RemovedWord",
    "SearchWord",
]
PARTIAL = r"^([0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?)?$"


class Gender(models.TextChoices):
    MALE = "male", gettext_lazy("Male")
    FEMALE = "female", gettext_lazy("Female")
    OTHER = "other", gettext_lazy("Other")
    UNKNOWN = "unknown", gettext_lazy("Unknown")


class AllergyStatus(models.TextChoices):
    """The three states of the allergy list. Not asked is not the same as none."""

    NOT_ASKED = "not_asked"
    NONE_KNOWN = "none_known"
    LISTED = "listed"


class PatientQuerySet(ClosedQuerySet["Patient"]):
    def visible_to(self, actor: Actor, at: datetime | Slot | None = None) -> Self:
        """Returns all but the restricted charts that are closed to the actor (now, or at another instant)."""
        return self.filter(open_to(actor, at=at)) if actor.has_permission(Permission.PATIENT_VIEW) else self.none()

    def hidden_from(self, actor: Actor, at: datetime | Slot | None = None) -> Self:
        """Returns the restricted charts that are closed to the actor."""
        return self.none() if actor.id is None else self.filter(restricted=True).exclude(open_to(actor, at=at))

    def unmerged(self) -> Self:
        """Excludes records that were merged into another."""
        return self.filter(merged_into=None)


# The earliest instant of a day anywhere: UTC+14 is the zone farthest ahead (tzdata, Pacific/Kiritimati).
_FIRST_MOMENT = ExpressionWrapper(F("date_of_birth") - timedelta(hours=14), output_field=models.DateTimeField())


class Patient(BaseModel):
    """A person in the clinic's care. Never deleted; the MRN never changes and is never reused."""

    # Newest first is the order of every list; our own number keeps it when two rows are created in one instant.
    seq = models.BigIntegerField(editable=False, db_default=models.Func(models.Value("patient_seq"), function="nextval"))
    mrn = models.CharField("MRN", max_length=40)
    first_name = models.CharField(max_length=100, blank=True)
    middle_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True, help_text="one of first and last name may be empty")
    date_of_birth = models.DateField(help_text="the first day of the period that is known")
    date_of_birth_precision = models.CharField(
        max_length=10,
        choices=[(precision.value, precision.value) for precision in Precision],
        default=Precision.DAY.value,
        db_default=Precision.DAY.value,
        editable=False,
    )
    time_of_birth = models.TimeField(null=True, blank=True, help_text="in the clinic's time zone, if known; like 14:05")
    gender = models.CharField(max_length=10, choices=Gender)
    language = models.CharField(max_length=10, blank=True, help_text="A language code, for example en (English) or es (Spanish)")
    deceased_at = models.DateTimeField(null=True, blank=True)

    phone = models.CharField(max_length=40, blank=True)
    phone_e164 = models.CharField(max_length=16, blank=True, editable=False, help_text="only where the number is valid")
    email = EmailAddressField(max_length=254, blank=True)
    street = models.CharField(max_length=200, blank=True)
    city = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=50, blank=True)
    zip = models.CharField("ZIP", max_length=20, blank=True)
    country = models.CharField(max_length=60, blank=True, default="", db_default="", help_text="a name or an ISO 3166-1 code")

    emergency_name = models.CharField(max_length=200, blank=True)
    emergency_relationship = models.CharField(max_length=50, blank=True)
    emergency_phone = models.CharField(max_length=40, blank=True)

    insurance_provider = models.CharField(max_length=100, blank=True)
    insurance_policy_number = models.CharField(max_length=50, blank=True)
    insurance_group_number = models.CharField(max_length=50, blank=True)

    is_active = models.BooleanField(default=True)
    allergy_status = models.CharField(max_length=10, choices=AllergyStatus, default=AllergyStatus.NOT_ASKED, editable=False)

    restricted = models.BooleanField(default=False, db_default=False, editable=False, help_text="only the care team may open it")

    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, related_name="+", null=True, blank=True, editable=False)

    objects = PatientQuerySet.as_manager()

    class Meta:
        ordering = ["-seq"]
        constraints = [
            models.CheckConstraint(condition=~Q(merged_into=F("id")), name="patient_not_merged_into_itself"),
            models.UniqueConstraint(Upper("mrn"), name="patient_mrn_once"),
            models.UniqueConstraint("seq", name="patient_seq_once"),
            models.CheckConstraint(condition=Q(mrn__regex=r"^[A-Za-z0-9-]{1,40}$"), name="patient_mrn_shape"),
            models.CheckConstraint(condition=Q(first_name__regex=r"\S") | Q(last_name__regex=r"\S"), name="patient_named"),
            models.CheckConstraint(
                condition=~(
                    Q(first_name__regex=HIDDEN)
                    | Q(middle_name__regex=HIDDEN)
                    | Q(last_name__regex=HIDDEN)
                    | Q(emergency_name__regex=HIDDEN)
                ),
                name="patient_names_visible",
            ),
            models.CheckConstraint(condition=Q(gender__in=Gender.values), name="patient_gender_known"),
            models.CheckConstraint(condition=Q(allergy_status__in=AllergyStatus.values), name="patient_allergy_status_known"),
            models.CheckConstraint(condition=Q(date_of_birth__gte="1850-01-01"), name="patient_birth_plausible"),
            models.CheckConstraint(
                condition=Q(deceased_at=None) | Q(deceased_at__gte=_FIRST_MOMENT), name="patient_died_after_birth"
            ),
            models.CheckConstraint(
                condition=Q(date_of_birth_precision=Precision.DAY.value)
                | Q(date_of_birth_precision=Precision.MONTH.value, date_of_birth__day=1, time_of_birth=None)
                | Q(
                    date_of_birth_precision__in=[Precision.YEAR.value, Precision.ESTIMATED.value],
                    date_of_birth__day=1,
                    date_of_birth__month=1,
                    time_of_birth=None,
                ),
                name="patient_birth_of_its_precision",
            ),
        ]
        indexes = [
            models.Index(fields=["date_of_birth", "-seq"], name="patient_by_birth"),
            models.Index(fields=["-seq"], condition=Q(is_active=False, merged_into=None), name="patient_inactive"),
            models.Index(fields=["-seq"], condition=Q(restricted=True), name="patient_restricted"),
            models.Index(Upper("email"), condition=~Q(email=""), name="patient_by_email"),
            models.Index(Upper("insurance_policy_number"), condition=~Q(insurance_policy_number=""), name="patient_by_policy"),
        ]

    def __str__(self) -> str:
        name = ", ".join(part for part in (self.last_name, self.first_name) if part)
        return f"{isolated(name)} ({self.mrn})"

    @property
    def title(self) -> str:
        """Returns the identity of the patient for the title of a page."""
        return f"{isolated(self.filed_name)} {self.born} ({self.mrn})"

    @property
    def full_name(self) -> str:
        """Returns the first and last name; one of them may be empty."""
        return full_name(self.first_name, self.last_name)

    @property
    def filed_name(self) -> str:
        """Returns the name as lists show it: `DOE, John Q`."""
        return filed_name(self.last_name, self.first_name, self.middle_name)

    @property
    def birth(self) -> Birth:
        """Returns when the patient was born, as exactly as it is known."""
        return Birth(self.date_of_birth, self.date_of_birth_precision, self.time_of_birth)

    @property
    def born(self) -> str:
        """Returns the birth date as pages show it, in their language."""
        return page_dates.birth_text(self.birth)


class PatientIdentifier(models.Model):
    """The patient's number in another system. `system` names that system; (system, value) is one patient."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    system = models.CharField(max_length=100)
    value = models.CharField(max_length=100)
    created_at = models.DateTimeField(default=clock.now, null=True, editable=False, help_text="empty: before it was noted")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["system", "value"], name="patient_identifier_once")]

    def __str__(self) -> str:
        return f"{self.system}: {self.value}"


class SearchWord(models.Model):
    """One word of the search for a patient: a folded name word (`smith`), the MRN (`#mrn001`), the digits of a telephone number,
    forwards (`+…`) and backwards (`-…`, for the last digits of it and of the MRN), two names in one (`=…`, `search_terms`), or a
    part of a name that is written without spaces (`^…`).

    `seq` is the patient's. A prefix is a range of the index, which lists the words in order and under each the newest first.
    `shared` counts the letters in common with the patient's previous word: if it is less than the length of the prefix, this is
    the patient's first word with that prefix.
    """

    pk = models.CompositePrimaryKey("seq", "word")
    seq = models.BigIntegerField()
    word = models.CharField(max_length=100, db_collation="C")  # byte order: a prefix is a range of the index
    shared = models.SmallIntegerField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(shared__gte=0, shared__lt=100), name="searchword_shared_is_part")]
        indexes = [models.Index(fields=["word", "-seq"], include=["shared"], name="searchword_ordered")]

    def __str__(self) -> str:
        return self.word


class NameWord(models.Model):
    """A word of a name: the vocabulary for misspelt and misheard words."""

    word = models.CharField(primary_key=True, max_length=100, db_collation="C")
    sound = models.CharField(max_length=20, db_collation="C", help_text="its double metaphone, by PostgreSQL's fuzzystrmatch")

    class Meta:
        indexes = [
            models.Index(fields=["sound"], name="nameword_sound"),
            # Words within two edits share a deletion. Read immediately: no list of pending entries.
            GinIndex(Func("word", function="patients_deletions"), name="nameword_deletions", fastupdate=False),
        ]

    def __str__(self) -> str:
        return self.word


class CommonPrefix(models.Model):
    """A beginning of search words that more than 10,000 patients had when it was recorded, `least` of them. No search counts
    it."""

    prefix = models.CharField(primary_key=True, max_length=100, db_collation="C")
    least = models.IntegerField()

    class Meta:
        verbose_name_plural = "common prefixes"
        constraints = [models.CheckConstraint(condition=Q(least__gt=10_000), name="commonprefix_is_common")]

    def __str__(self) -> str:
        return f"{self.prefix}: {self.least} or more"


class RemovedWord(models.Model):
    """A search word that was removed from a patient since the common prefixes were recorded; written only by triggers."""

    id = models.BigAutoField(primary_key=True)
    word = models.CharField(max_length=100, db_collation="C")

    class Meta:
        indexes = [models.Index(fields=["word"], name="removedword_word")]

    def __str__(self) -> str:
        return self.word


class ChartQuerySet(ClosedQuerySet["ChartEntry"]):
    def visible_to(self, actor: Actor) -> Self:
        """Returns, for charts open to the actor, what the role may read: its kinds of entry, and for billing only what has a
        code."""
        if not actor.has_permission(Permission.CHART_VIEW):
            return self.none()
        rows = self.filter(
            open_to(actor, "patient"), type__in=[kind.value for kind in EntryType if rights.reads_chart(actor, kind)]
        )
        return rows.exclude(code="").exclude(code_system=CodeSystem.LOCAL) if rights.coded_only(actor.role) else rows

    def not_in_error(self) -> Self:
        """Excludes entries that were entered in error."""
        return self.exclude(status=ENTERED_IN_ERROR)


class ChartEntry(BaseModel):
    """One fact about a patient: what, when, recorded by which user, from which source. Corrected by retraction, never deleted."""

    class Source(models.TextChoices):
        MANUAL = "manual"
        IMPORT = "import"
        SANDBOX = "sandbox"
        CONSULTATION = "consultation"
        PRESCRIPTION = "prescription"
        LABORATORY = "laboratory"

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+", db_index=False)
    type = models.CharField(max_length=15, choices=[(kind.value, kind.value.replace("_", " ")) for kind in EntryType])
    code_system = models.CharField(max_length=10, choices=[(system.value, system.value) for system in CodeSystem], blank=True)
    code = models.CharField(max_length=40, blank=True)
    display = models.CharField(max_length=400)
    status = models.CharField(max_length=20)
    occurred_at = models.DateTimeField(help_text="onset, effective time, or time of the procedure")
    occurred_on = models.CharField(
        max_length=10,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="the date as it was entered: 2015, 2015-06, 2015-06-10",
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_on = models.CharField(
        max_length=10, blank=True, default="", db_default="", editable=False, help_text="the end date as it was entered"
    )
    value = models.DecimalField(max_digits=20, decimal_places=8, null=True, blank=True)
    unit = models.CharField(max_length=40, blank=True)
    detail = models.JSONField(default=dict, blank=True)
    recorded_at = models.DateTimeField(default=clock.now)
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True, blank=True, db_index=False)
    source = models.CharField(max_length=15, choices=Source)
    source_ref = models.CharField(max_length=120, blank=True, help_text="the row's id in its source system")
    retracted_at = models.DateTimeField(null=True, blank=True)
    retracted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True, blank=True, db_index=False)
    retraction_reason = models.CharField(max_length=400, blank=True)

    objects = ChartQuerySet.as_manager()

    class Meta:
        ordering = ["-occurred_at", "-id"]
        verbose_name_plural = "chart entries"
        constraints = [
            models.CheckConstraint(condition=Q(type__in=[kind.value for kind in EntryType]), name="chart_type_known"),
            models.CheckConstraint(
                condition=Q(source__in=["manual", "import", "sandbox", "consultation", "prescription", "laboratory"]),
                name="chart_source_known",
            ),
            models.CheckConstraint(condition=Q(code="") | ~Q(code_system=""), name="chart_code_has_system"),
            models.CheckConstraint(condition=Q(display__regex=r"\S"), name="chart_says_something"),
            # A period ("2015") ends a year after its stored instant; the service compares days.
            models.CheckConstraint(
                condition=Q(ended_at=None)
                | Q(ended_at__gte=F("occurred_at"))
                | (~Q(ended_on="") & Q(ended_at__gte=F("occurred_at") - timedelta(days=366, hours=2))),
                name="chart_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(occurred_on__regex=PARTIAL)
                & Q(ended_on__regex=PARTIAL)
                & (Q(ended_on="") | Q(ended_at__isnull=False)),
                name="chart_partial_dates",
            ),
            models.CheckConstraint(
                condition=Q(status=ENTERED_IN_ERROR, retracted_at__isnull=False) & ~Q(retraction_reason="")
                | ~Q(status=ENTERED_IN_ERROR) & Q(retracted_at=None, retraction_reason=""),
                name="chart_retraction_whole",
            ),
            models.UniqueConstraint(fields=["source", "source_ref"], condition=~Q(source_ref=""), name="chart_source_row_once"),
        ]
        indexes = [
            models.Index(fields=["patient", "-occurred_at", "-id"], name="chart_of_patient"),
            models.Index(fields=["patient", "type", "-occurred_at", "-id"], name="chart_of_patient_by_type"),
        ]

    def __str__(self) -> str:
        return f"{self.type}: {self.display}"
