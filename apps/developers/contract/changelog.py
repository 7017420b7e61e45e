"""What changed for integrators, newest first. Pure values."""

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, kw_only=True)
class Release:
    """A version and what it brought. `breaking` is empty within v1.

    `widened` lists, as `breaking.breaks` words it, where a reply may now hold more than the file of the last release says. Each
    is a decision that a line of `changed` explains; `manage.py contract` lets nothing else pass.
    """

    version: str
    released_on: date
    added: tuple[str, ...] = field(default=())
    changed: tuple[str, ...] = field(default=())
    fixed: tuple[str, ...] = field(default=())
    deprecated: tuple[str, ...] = field(default=())
    breaking: tuple[str, ...] = field(default=())
    widened: tuple[str, ...] = field(default=())


RELEASES = (
    Release(
        version="0.3.0",
        released_on=date(2026, 11, 29),
        added=(
            "/health/ready: waiting_seconds, the age of the oldest waiting event and of the oldest unsealed audit row; "
            "`degraded` while workers are behind.",
            "Mail to patients in their language: English, Spanish, Arabic.",
            "A request body that takes longer than ten seconds is answered 408 REQUEST_TIMEOUT; while the disk is full, every "
            "write is answered 503 with Retry-After and reading goes on.",
            "Consultations and medical history: a diagnosis that does not fit the patient's age or sex is saved with the warning "
            "unusual_for_patient.",
            "Consultations: vital signs are checked against age, each other and the last value; weight_unit, temperature_unit "
            "and height_unit (stored as sent and in metric units); bp takes 90/P and not_measurable.",
            "Medical history: a vital sign is checked as in a visit; what looks implausible takes confirmed_implausible.",
            "Consultations: an urgent vital sign warns in the reply (vital_alert), notifies the doctor and marks the queue "
            "(alert_since); a nurse hands a visit to the doctor with POST /consultations/{id}/ready (ready_since). A visit that "
            "was handed over is in the queue of the doctor who has it (GET /queue: doctor_id, doctor_name).",
            "Schedules: hours may end at 24:00 (/doctors/{id}/schedule).",
            "Series: daily, weekly and monthly, with by_weekday, by_month_day, by_set_position, count or until "
            "(/appointments/series); every_weeks is 0 where a series is not weekly.",
            "ICD-10-CM: everyday terms, abbreviations, British spellings and misspelt words find their diagnosis "
            "(/terminology/icd10); `fuzzy` is true where codes of near spellings are shown.",
            "Consultations: replies warn while the tests of step 5 or the medicines of step 8 were neither ordered nor "
            "checked and prescribed (warnings not_ordered, not_prescribed).",
            "Patients: one of first_name and last_name may be empty, for staff too. date_of_birth also takes YYYY-MM and YYYY; a "
            "registration may send age instead. The detail has date_of_birth_precision, time_of_birth and age_in_words, and a "
            "country in the address where one is on record.",
            "E-mail addresses in any script (josé@example.com).",
            "Patients and appointments: pages by cursor, which records made meanwhile do not shift (GET /patients?cursor=, "
            "GET /appointments?cursor=).",
            "Appointments: a check-in is taken back (POST /appointments/{id}/undo-check-in); `early` allows a check-in or a "
            "start on another day (/check-in, PUT /appointments/{id}, POST /consultations).",
            "Warning visits_affected, with a count: a death (PUT /patients/{id}), a deactivation, a merge with a record that is "
            "deceased or inactive, new working hours (PUT /doctors/{id}/schedule), a doctor who is deactivated or gets another "
            "role (POST /users/{id}/deactivate, PUT /users/{id}). Refusals carry details.reason: not_today, "
            "patient_not_active.",
            "POST /auth/password/change takes revoke_api_keys; a password chosen by a mailed link revokes every API key.",
        ),
        changed=(
            "/health/ready repeats its result for one second.",
            "Medical history: occurred_at and ended_at also take YYYY-MM and YYYY, and are answered as they were entered: a date "
            "that was sent without a time is no longer answered as an instant.",
            "Names and other texts of one line are stored in Unicode's normal form C, without direction marks and control "
            "characters; line breaks and tabs become blanks, and a text that only looks blank is refused.",
            "Care teams of restricted charts: an appointment adds its doctor only where the patient, reception, an administrator "
            "or a member booked it, and no longer once it is cancelled; a new care_team removes everyone it does not name.",
            "Appointments: a check-in or a start on another day than the appointment's answers 409 not_today unless `early` is "
            "true. Appointments of deceased and inactive patients are not moved, confirmed, checked in or accepted from the "
            "waitlist: 409 patient_not_active. What happened before a death can be entered.",
            "Visits of charts that are closed to the caller are not counted in the warning of a time off, nor in a move "
            "(not_shown is always 0), and are not in a doctor's calendar feed.",
            "Merged records: every write that names a retired id is refused with 409 and `details.survivor_id`; reads still "
            "show the survivor.",
            "A change of an e-mail address or a role, and POST /users, /users/{id}/deactivate, /reactivate and /reset-mfa "
            "take the password within five minutes: 401 with details.issue reauthentication_required.",
            "API keys: scopes decide what a reply shows. The reply to a write without the read of the same resource holds the "
            "id alone; fields of another resource (patient_name and mrn in GET /queue, message in GET /notifications, "
            "candidates of possible_duplicate, details.current, details.alternatives) are missing without its scope.",
            "Idempotency-Key: a replay of a reply that held a secret, or data that the caller may see no longer, is 409 "
            "replay_withheld; after a change of role too (before: 422).",
            "Tokens name their signing key (kid). Tokens of earlier releases, which do not, are refused: sign in again.",
            "POST /auth/mfa/totp/confirm is 409 for a secret that another session was shown.",
            "Audit log: GET /audit-events/verify recomputes a bounded number of rows after those the worker has verified; "
            "whole_trail_verified_at says when the whole log was last found intact. New flaws chain_lost and chain_replaced.",
        ),
        fixed=(
            "A null character in a query parameter is answered 400, never 500.",
            "Consultations: a follow-up date in the past is refused; a save without any finding completes neither vitals, "
            "history_review nor examination.",
            "Patients: a death in the future or before the birth is refused (400 at deceased_at), and so is a birth after the "
            "death (400 at date_of_birth).",
            "Patients: possible_duplicate also for the same name and telephone (e-mail, policy) with another date of birth, "
            "after an edit (PUT, PATCH), and for the second of two registrations at the same moment.",
            "Charts: a warning already_recorded for an allergy, diagnosis or medicine that is active already; no known "
            "allergies ends with the first allergy, also by a merge or an import; a signed diagnosis that is on the problem "
            "list is written with the status `encounter`.",
            "Merges: an allergy or a diagnosis that both records list as active stays active once; the preview names them "
            "(warnings listed_twice, medication_twice). An undo or a triage that would leave a record without a name is 409 "
            "name_missing, one that would put the death before the birth 409 dates_contradict.",
            "POST /api-keys/{id}/rotate of another person's key is 403; such a key can be revoked, and its owner is notified.",
            "API keys: expand= takes the scope of what it shows (403 with details.required_scope).",
            "POST /auth/password/forgot and /auth/password/reset have a limit for each address, and forgot one for each name "
            "(429).",
            "Patient search: names with a comma, caret or slash between them, names without a space in Chinese and Japanese, "
            "national telephone numbers, former numbers of merged records, nicknames and the Arabic article.",
        ),
        widened=(
            "GET /patients/{id}/medical-history 200.data.records[].occurred_at: format date-time became None",
            "GET /patients/{id}/medical-history 200.data.records[].ended_at: format date-time became None",
        ),
    ),
    Release(
        version="0.2.0",
        released_on=date(2026, 11, 23),
        added=(
            "Appointments: booked so that neither doctor, patient nor room is taken twice, a clash answered with three free "
            "times; read, changed, confirmed, checked in, missed, cancelled (/appointments).",
            "Appointments: weekly series with what could not be booked (/appointments/series); an absent doctor's visits moved, "
            "after a look at the plan, no other than that where its mark is sent, and put back "
            "(/doctors/{id}/move-appointments, /appointments/moves).",
            "Doctors: free times across time zones and clock changes, the published week, time off "
            "(/doctors/{id}/availability, /schedule, /time-off); rooms (/rooms).",
            "Waitlist: a time that came free is offered in rank, the first acceptance is booked (/waitlist).",
            "Queue: who waits, in the order of triage and check-in, how long yet and for how much longer (/queue).",
            "Calendars: a visit as a file (/appointments/{id}.ics); a doctor's diary as a feed with an address of its own that "
            "can be revoked (/doctors/{id}/calendar-feed).",
            "Consultations: eleven steps saved one by one and resumed elsewhere, standard, quick and adaptive; held, handed "
            "over, cancelled, signed for good, amended by addenda (/consultations).",
            "ICD-10-CM: search by words, valid on a date of service (/terminology/icd10).",
        ),
    ),
    Release(
        version="0.1.0",
        released_on=date(2026, 11, 22),
        added=(
            "Sign-in, refresh with single-use tokens, sign-out, oneself: /auth/login, /auth/refresh, /auth/logout, /auth/me.",
            "A second factor (TOTP) with recovery codes: /auth/mfa/*; giving the password again: /auth/reauthenticate.",
            "Passwords: changed, forgotten, chosen by a mailed link: /auth/password/*. Own sessions: /auth/sessions.",
            "Patients: list and search, registration, detail, amendment by merge-patch, deactivation and reactivation.",
            "Patients: who on record may be the person described, with score and reasons (/patients/match); the warning "
            "possible_duplicate says why in `matches`; two records are said to be two people by /patients/{id}/not-same.",
            "Patients: two records made one (/patients/{id}/merge, with /patients/{id}/merge-preview before), the old id still "
            "finding the survivor, and the merge taken back (/patients/merges/{id}/undo).",
            "Patients: restricted charts (/patients/{id}/restricted), 404 for whoever is not on the care team; emergency "
            "access for four hours (/patients/{id}/break-glass, /patients/break-glass); who looked at a record "
            "(/patients/{id}/access-log).",
            "Medical history: read by type, recorded by hand, corrected by retraction.",
            "API keys with scopes, expiry, addresses and rotation (/api-keys), sent as X-API-Key or as the bearer; "
            "x-required-scope in the OpenAPI file says what each operation asks of a key.",
            "Users, for administrators: list, invitation, change, deactivation, reactivation, sign-out everywhere (/users).",
            "Doctors: the ids that doctor_id means.",
            "Idempotency-Key on every POST but sign-in: what is sent again within 24 hours is answered and not repeated.",
            "ETags: If-None-Match answers 304 and counts against no limit; If-Match keeps writers from overwriting each other.",
            "fields= picks the keys of a reply, expand= shows what an id stands for; PATCH takes application/merge-patch+json.",
            "Notifications: one's own with the unread counted, marked as read one by one or all at once, by page or by cursor; "
            "sent by administrators to people and roles (/notifications).",
            "The OpenAPI file at /v1/openapi.json and /v1/openapi.yaml, and these pages.",
        ),
    ),
)
