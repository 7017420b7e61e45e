"""Consultations of the past, and how they are stored, read, begun and saved: all that this package knows of `apps.consultations`.

Two of three completed appointments have a consultation: five steps each, signed by a doctor. Columns come from the
models. The statements are the floors': what a program of a few lines would send for the same answer.
"""

# ruff: noqa: S608 (table and column names of our own models)

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from apps.appointments.models import StatusChange
from apps.consultations import adaptive, migrations, rules
from apps.consultations.adaptive.facts import Facts
from apps.consultations.apps import ROW_COUNTER
from apps.consultations.models import Consultation, ConsultationStatusChange, StepSave
from apps.consultations.queries import prepared
from apps.consultations.rules import Status, Workflow
from apps.consultations.steps.definitions import Step
from apps.patients.chart import vitals
from benchmarks import appointment_tables, patient_tables, people, schedules

VERSION = 1  # a change of what comes out is a new one: data of another are loaded anew
CONSULTATIONS, STEPS, STATUS_CHANGES = (model._meta.db_table for model in (Consultation, StepSave, ConsultationStatusChange))
COMPACT = ROW_COUNTER.compact_sql
OPEN_ONLY = ("consultations_only_while_open", STEPS)
"""The trigger that takes steps of open visits alone: what is loaded was signed long ago."""

TOOK = timedelta(minutes=20)
WORKFLOWS = (Workflow.QUICK, Workflow.STANDARD, Workflow.QUICK, Workflow.ADAPTIVE)
WRITTEN: Mapping[Step, Mapping[str, Any]] = {
    Step.PATIENT_OVERVIEW: {"identity_confirmed": True},
    Step.VITALS: {},  # differ
    Step.SYMPTOMS: {"chief_complaint": "Back pain since Monday", "symptoms": [{"description": "stiff in the morning"}]},
    Step.ASSESSMENT: {"diagnoses": [{"code": "M54.50", "primary": True}]},
    Step.TREATMENT_PLAN: {"plan": "Paracetamol when needed, stay active, come back in two weeks if it is no better."},
}
_PARSED = {Step.ASSESSMENT: {"diagnoses": [{"code": "M54.50", "display": "Low back pain, unspecified", "primary": True}]}}
_PRESSURES = [{"bp": f"{110 + 3 * one}/{70 + one}", "pulse": 60 + one} for one in range(10)]


def _columns(model: Any) -> dict[str, str]:
    """Without a number that the database gives out."""
    known = patient_tables.columns(model)
    if model is not Consultation:
        del known["id"]
    return known


COLUMNS, STEP_COLUMNS, STATUS_CHANGE_COLUMNS = (_columns(model) for model in (Consultation, StepSave, ConsultationStatusChange))


def of(visit: schedules.AppointmentRow) -> dict[str, Any] | None:
    """Returns the consultation of an appointment, or None."""
    drawn = int.from_bytes(hashlib.blake2b((visit["id"] or "").encode(), digest_size=4).digest())
    if visit["status"] != "completed" or drawn % 3 == 0:
        return None
    start = datetime.fromisoformat(visit["scheduled_time"] or "")
    workflow, name = WORKFLOWS[drawn // 3 % len(WORKFLOWS)], b"consultation %d" % drawn + (visit["id"] or "").encode()
    ended = (start + TOOK).isoformat()
    return {
        "id": str(people.dated_id(start, name)),
        "created_at": start.isoformat(),
        "updated_at": ended,
        "patient_id": visit["patient_id"],
        "doctor_id": visit["doctor_id"],
        "appointment_id": visit["id"],
        "workflow_type": workflow.value,
        "status": Status.COMPLETED.value,
        "current_step": Step.REVIEW_SIGN.value,
        "started_at": start.isoformat(),
        "entered_by_id": visit["doctor_id"],
        "guidance": guidance() if workflow is Workflow.ADAPTIVE else "{}",
        "rule_version": adaptive.VERSION if workflow is Workflow.ADAPTIVE else "",
        "version": len(WRITTEN) + 2,
        "completed_at": ended,
        "signed_by_id": visit["doctor_id"],
        "content_sha256": hashlib.sha256(name).hexdigest(),
    }


@cache
def guidance() -> str:
    """Guidance of a grown-up whose back hurts, with nothing in the chart."""
    facts = Facts(age_days=15_000, sex="female", appointment_type="consultation", complaint="back pain since monday")
    return json.dumps(adaptive.guide(facts).as_dict() | {"prefill": {}})


def steps_of(row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The saves of a consultation."""
    for step, data, parsed in _written(row["content_sha256"][0]):
        yield {
            "consultation_id": row["id"],
            "number": step,
            "version": 1,
            "state": rules.State.COMPLETED.value,
            "data": data,
            "parsed": parsed,
            "saved_at": row["started_at"],
            "saved_by_id": row["doctor_id"],
        }


@cache
def _written(drawn: str) -> list[tuple[int, str, str]]:
    measured = _PRESSURES[int(drawn, 16) % len(_PRESSURES)]
    datas = {**WRITTEN, Step.VITALS: measured}
    parsed = {**_PARSED, Step.VITALS: vitals.measured(measured)}
    return [(int(step), json.dumps(data), json.dumps(parsed.get(step, {}))) for step, data in datas.items()]


def status_changes_of(row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Begun, and signed."""
    who = {"consultation_id": row["id"], "to_doctor_id": row["doctor_id"], "by_id": row["doctor_id"], "from_doctor_id": None}
    yield who | {"from_status": "", "to_status": Status.IN_PROGRESS.value, "at": row["started_at"]}
    yield who | {"from_status": Status.IN_PROGRESS.value, "to_status": Status.COMPLETED.value, "at": row["completed_at"]}


def line(known: Mapping[str, str], row: Mapping[str, Any]) -> str:
    """A row as a line of COPY. JSON may hold backslashes."""
    texts = [patient_tables.text(row[name]).replace("\\", "\\\\") if row.get(name) is not None else None for name in known]
    return "\t".join([default if text is None else text for text, default in zip(texts, known.values(), strict=True)]) + "\n"


def fingerprint() -> str:
    """Changes when what would be loaded changes: the generator or the tables."""
    rows = [consultation for visit in schedules.Schedule(1_000, date(2026, 1, 5)).block(0) if (consultation := of(visit))][:4]
    parts = [str(VERSION), *(line(COLUMNS, row) for row in rows), *(line(STEP_COLUMNS, step) for step in steps_of(rows[0]))]
    parts += [path.read_text() for path in sorted(Path(migrations.__path__[0]).glob("*.py"))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


# --- The floors' statements. `%s` are given in the order of the query string; each answers one JSON text. ---

_ORDER = "ORDER BY started_at DESC, id DESC LIMIT 20"
_PARTS = (
    f"SELECT json_object_agg(number, row_to_json(s)) FROM (SELECT DISTINCT ON (number) * FROM {STEPS} "
    "WHERE consultation_id = %s::uuid ORDER BY number, version DESC) s"
)


def _page(where: str, total: str) -> str:
    rows = f"SELECT {', '.join(prepared.COLUMNS)} FROM {CONSULTATIONS} {where} {_ORDER}"
    return f"SELECT json_build_object('consultations', coalesce(json_agg(t), '[]'), 'total', ({total}))::text FROM ({rows}) t"


def started_columns() -> dict[str, str]:
    """The columns of a consultation that is started for the appointment `a`, and the expression of each."""
    known = {name: _quoted(default) for name, default in COLUMNS.items() if default != r"\N"}
    known |= {"id": "gen_random_uuid()", "guidance": _quoted(guidance()), "rule_version": _quoted(adaptive.VERSION)}
    known |= dict.fromkeys(("created_at", "updated_at", "started_at"), "now()")
    known |= {"patient_id": "patient_id", "doctor_id": "doctor_id", "appointment_id": "id", "entered_by_id": "doctor_id"}
    return known | {"workflow_type": "'adaptive'", "status": "'in_progress'"}


def quoted_guidance() -> str:
    """`guidance` as a literal."""
    return _quoted(guidance())


def _begun() -> str:
    """The appointment is in progress; the consultation, and a line in the history of each."""
    known = started_columns()
    history_columns = "(appointment_id, from_status, to_status, at, by_id, reason)"
    columns = "(consultation_id, from_status, to_status, to_doctor_id, reason, at, by_id)"
    return (
        f"WITH a AS (UPDATE {appointment_tables.APPOINTMENTS} SET status = 'in_progress', updated_at = now() WHERE id = %s::uuid "
        f"AND status = 'checked_in' RETURNING id, patient_id, doctor_id), "
        f"h AS (INSERT INTO {StatusChange._meta.db_table} {history_columns} "
        "SELECT id, 'checked_in', 'in_progress', now(), doctor_id, '' FROM a), "
        f"c AS (INSERT INTO {CONSULTATIONS} ({', '.join(known)}) SELECT {', '.join(known.values())} FROM a RETURNING *), "
        f"p AS (INSERT INTO {STATUS_CHANGES} {columns} SELECT id, '', status, doctor_id, '', now(), doctor_id FROM c) "
        "SELECT row_to_json(c)::text FROM c"
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''").replace("%", "%%") + "'"


FLOORS = {
    "visit-start": _begun(),
    "visit-read": (
        f"SELECT json_build_object('consultation', row_to_json(c), 'steps', ({_PARTS}))::text FROM {CONSULTATIONS} c "
        "WHERE id = %s::uuid"
    ),
    "visit-list": _page("", "SELECT sum(total) FROM consultations_rowcounter"),
    "visit-of-doctor": _page(
        "WHERE doctor_id = %s::uuid",
        f"SELECT count(*) FROM (SELECT FROM {CONSULTATIONS} WHERE doctor_id = %s::uuid LIMIT 10001) c",
    ),
}
