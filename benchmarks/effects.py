"""The floors E and W: the durable effects and the reads of a HIMS request, by bare psycopg on the same web server.

E is the best form that we can write: one statement a request. W is the same work with each statement in a round trip of its own.
Both look the session up, and both write the audit row; a write also has its history, its outbox row and its stored reply. Values
are given by name in the query string, or as v0, v1, … by their order; `floor` adds the session and `new_id`, the id of a new row.
The signature of the token, the roles and the rate limit (Redis) are in HIMS alone.
"""

# ruff: noqa: S608 (table and column names of our own models)

from collections.abc import Mapping, Sequence

from apps.consultations.models import SIGNED
from benchmarks import appointment_tables, consultation_tables, patient_tables
from benchmarks.appointment_tables import APPOINTMENTS, HISTORY
from benchmarks.consultation_tables import CONSULTATIONS, STATUS_CHANGES, STEPS

_WHO = """
SELECT u.id, u.role FROM accounts_session s JOIN accounts_user u ON u.id = s.user_id
WHERE s.id = %(session)s::uuid AND s.ended_at IS NULL AND s.expires_at > now() AND u.is_active"""
_AUDIT_COLUMNS = "id, at, user_id, role, action, outcome, patient_id, object_id, ip, request_id, purpose, detail"
_OUTBOX_COLUMNS = "id, name, payload, actor_id, request_id, occurred_at, relayed_at"
_REPLY = "(name, asked, request_id, status, sealed, kept_at, expires_at)"
_KEY = "sha256(convert_to(%(key)s, 'UTF8'))"
_LOCK_KEY = "SELECT pg_try_advisory_xact_lock(hashtextextended(%(key)s, 0)) AS locked"
_STORED = f"SELECT asked, sealed FROM rest_keptreply WHERE name = {_KEY} AND expires_at > now()"
_SEALED = "convert_to(repeat('x', 1400), 'UTF8')"  # the size of a sealed reply to a booking
_PATIENT = "SELECT * FROM patients_patient WHERE id = {patient} AND merged_into_id IS NULL AND NOT restricted FOR UPDATE"
_DOCTOR = """
SELECT u.id, s.slot_minutes, s.overbook_per_day,
    (SELECT json_agg(h) FROM appointments_workinghours h WHERE h.schedule_id = u.id) AS hours,
    (SELECT json_agg(o) FROM appointments_timeoff o WHERE o.doctor_id = u.id AND o.ends_at > %(at)s::timestamptz) AS off
FROM accounts_user u LEFT JOIN appointments_doctorschedule s ON s.doctor_id = u.id
WHERE u.id = %(doctor)s::uuid AND u.is_active"""
_MEMBER = (
    "SELECT EXISTS (SELECT FROM patients_careteammember WHERE patient_id = {patient} AND user_id = %(user)s::uuid) AS is_member"
)


def _audit(action: str, patient: str, thing: str, source: str) -> str:
    values = f"gen_random_uuid(), now(), %(user)s::uuid, 'doctor', '{action}', 'success', {patient}, {thing}"
    detail = "jsonb_build_object('event_id', gen_random_uuid())"
    more = f"'127.0.0.1'::inet, 'req_01M8N0G27YVNDBZYYMGVWK62DR', '', {detail}"
    return f"INSERT INTO audit_auditevent ({_AUDIT_COLUMNS}) SELECT {values}, {more} {source}"


def _outbox(name: str, patient: str, thing: str, source: str) -> str:
    fields = f"'id', {thing}, 'patient_id', {patient}, 'doctor_id', %(user)s::text, 'at', now(), 'status', 'scheduled'"
    values = f"gen_random_uuid(), '{name}', jsonb_build_object({fields}), %(user)s::uuid, 'req_01M8N0G27YVNDBZYYMGVWK62DR', now()"
    return f"INSERT INTO events_outboxevent ({_OUTBOX_COLUMNS}) SELECT {values}, NULL::timestamptz {source}"


def _named(text: str) -> str:
    """A floor's statement with its values by name: v0, v1, …"""
    first, *rest = text.split("%s")
    return first + "".join(f"%(v{number})s{part}" for number, part in enumerate(rest))


def _read(page: str, action: str, *, patient: str = "NULL::uuid") -> str:
    """A page as the floor has it, with the session and an audit row that does not wait for the disk, as HIMS writes it."""
    hurry = "SELECT set_config('synchronous_commit', 'off', true) FROM who"
    page = page.removeprefix("SELECT ")
    return (
        f"WITH who AS ({_WHO}), hurry AS ({hurry}), audited AS ({_audit(action, patient, patient, 'FROM hurry')}) SELECT {page}"
    )


# --- a booking ---

_ROW = {
    "id": "%(new_id)s::uuid",
    "patient_id": "%(patient)s::uuid",
    "doctor_id": "%(doctor)s::uuid",
    "booked_by_id": "%(user)s::uuid",
    "scheduled_time": "%(at)s::timestamptz",
    "ends_at": "%(at)s::timestamptz + interval '30 minutes'",
}
_BOOK = appointment_tables.insert(**_ROW)
_BOOKED_HISTORY = (
    f"INSERT INTO {HISTORY} (appointment_id, from_status, to_status, at, by_id, reason) "
    "SELECT %(new_id)s::uuid, '', 'scheduled', now(), %(user)s::uuid, '' {source}"
)
_PATIENT_ID, _NEW_ID = "%(patient)s::uuid", "%(new_id)s::uuid"
_KEEP = f"INSERT INTO rest_keptreply {_REPLY} SELECT {_KEY}, {_KEY}, 'req_1', 201, {_SEALED}, now(), now() + interval '1 day' "
_MEETS = "FROM who, patient, doctor, member, locked LEFT JOIN stored ON true"
_BOOK_E = f"""
WITH who AS ({_WHO}), locked AS ({_LOCK_KEY}), stored AS ({_STORED}), patient AS ({_PATIENT.format(patient=_PATIENT_ID)}),
doctor AS ({_DOCTOR}), member AS ({_MEMBER.format(patient=_PATIENT_ID)}),
booked AS ({_BOOK} {_MEETS} ON CONFLICT DO NOTHING RETURNING *),
history AS ({_BOOKED_HISTORY.format(source="FROM booked")}),
outbox AS ({_outbox("appointment.created", _PATIENT_ID, _NEW_ID, "FROM booked")}),
audited AS ({_audit("appointment.created", _PATIENT_ID, _NEW_ID, "FROM booked")}),
kept AS ({_KEEP} FROM booked)
SELECT row_to_json(booked)::text FROM booked"""
_BOOK_W = [
    _WHO,
    _LOCK_KEY,
    _STORED,
    _PATIENT.format(patient=_PATIENT_ID),
    _DOCTOR,
    _MEMBER.format(patient=_PATIENT_ID),
    f"{_BOOK} ON CONFLICT DO NOTHING RETURNING id",
    f"{_BOOKED_HISTORY.format(source='')} RETURNING id",
    f"{_outbox('appointment.created', _PATIENT_ID, _NEW_ID, '')} RETURNING id",
    f"{_audit('appointment.created', _PATIENT_ID, _NEW_ID, '')} RETURNING id",
    f"{_KEEP} RETURNING (SELECT row_to_json(a)::text FROM {APPOINTMENTS} a WHERE id = %(new_id)s::uuid)",
]

# --- a consultation ---

_OF_APPOINTMENT = f"(SELECT patient_id FROM {APPOINTMENTS} WHERE id = %(appointment)s::uuid)"
_OF_VISIT = f"(SELECT patient_id FROM {CONSULTATIONS} WHERE id = %(visit)s::uuid)"
_SIGNED = ", ".join(f"'{status}'" for status in SIGNED)
_CHART = (
    "SELECT (SELECT json_agg(e) FROM (SELECT id, type, display, code_system, code, occurred_at, occurred_on "
    "FROM patients_chartentry WHERE patient_id = {patient} AND status = 'active' "
    "AND type IN ('allergy', 'medication', 'diagnosis') "
    f"ORDER BY occurred_at DESC, id DESC LIMIT 200) e) AS chart, (SELECT max(started_at) FROM {CONSULTATIONS} "
    f"WHERE patient_id = {{patient}} AND status IN ({_SIGNED})) AS last_visit"
)


def _start() -> str:
    known = consultation_tables.started_columns()
    changes = "(consultation_id, from_status, to_status, to_doctor_id, reason, at, by_id)"
    return f"""
WITH who AS ({_WHO}), patient AS ({_PATIENT.format(patient=_OF_APPOINTMENT)}),
member AS ({_MEMBER.format(patient=_OF_APPOINTMENT)}),
seen AS ({_CHART.format(patient=_OF_APPOINTMENT)}),
a AS (UPDATE {APPOINTMENTS} SET status = 'in_progress', updated_at = now() FROM who, patient, member, seen
    WHERE {APPOINTMENTS}.id = %(appointment)s::uuid AND {APPOINTMENTS}.status = 'checked_in'
    RETURNING {APPOINTMENTS}.id, {APPOINTMENTS}.patient_id, {APPOINTMENTS}.doctor_id),
h AS (INSERT INTO {HISTORY} (appointment_id, from_status, to_status, at, by_id, reason)
    SELECT id, 'checked_in', 'in_progress', now(), doctor_id, '' FROM a),
c AS (INSERT INTO {CONSULTATIONS} ({", ".join(known)}) SELECT {", ".join(known.values())} FROM a RETURNING *),
p AS (INSERT INTO {STATUS_CHANGES} {changes} SELECT id, '', status, doctor_id, '', now(), doctor_id FROM c),
o1 AS ({_outbox("appointment.updated", "patient_id", "id", "FROM a")}),
o2 AS ({_outbox("consultation.started", "patient_id", "id", "FROM c")}),
t1 AS ({_audit("appointment.updated", "patient_id", "id", "FROM a")}),
t2 AS ({_audit("consultation.started", "patient_id", "id", "FROM c")})
SELECT row_to_json(c)::text FROM c"""


def _save() -> str:
    columns = "(consultation_id, number, version, state, data, parsed, outcome, saved_at, saved_by_id)"
    latest = f"SELECT DISTINCT ON (number) * FROM {STEPS} WHERE consultation_id = %(visit)s::uuid ORDER BY number, version DESC"
    return f"""
WITH who AS ({_WHO}), patient AS ({_PATIENT.format(patient=_OF_VISIT)}),
visit AS (SELECT * FROM {CONSULTATIONS} WHERE id = %(visit)s::uuid FOR UPDATE), latest AS ({latest}),
seen AS ({_CHART.format(patient=_OF_VISIT)}),
s AS (INSERT INTO {STEPS} {columns}
    SELECT visit.id, 1, coalesce((SELECT version FROM latest WHERE number = 1), 0) + 1, 'completed',
    %(data)s::jsonb, '{{}}', '{{}}', now(), who.id FROM who, patient, visit, seen),
c AS (UPDATE {CONSULTATIONS} SET version = version + 1, updated_at = now(), guidance = {consultation_tables.quoted_guidance()}
    WHERE id = %(visit)s::uuid RETURNING *),
o AS ({_outbox("consultation.step_saved", "patient_id", "id", "FROM c")}),
t AS ({_audit("consultation.step_saved", "patient_id", "id", "FROM c")})
SELECT json_build_object('consultation', row_to_json(c), 'steps', (SELECT json_agg(latest) FROM latest))::text FROM c"""


_LISTS = ("day", "day-status", "week", "doctor", "newest", "slots")
STATEMENTS: Mapping[str, str | Sequence[str]] = {
    "e-list": _read(patient_tables.LIST, "patient.searched"),
    "e-detail": _read(patient_tables.DETAIL.replace("%s", "%(id)s"), "patient.read", patient="%(id)s::uuid"),
    **{f"e-{name}": _read(_named(appointment_tables.FLOORS[name]), "appointment.searched") for name in _LISTS},
    "e-book": _BOOK_E,
    "w-book": _BOOK_W,
    "e-start": _start(),
    "e-save": _save(),
}
