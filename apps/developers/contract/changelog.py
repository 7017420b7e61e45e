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
            "Medicines: the catalogue of drugs (GET, POST /pharmacy/drugs; GET, PUT /pharmacy/drugs/{id}), searched by words and "
            "tolerant of misspellings (`fuzzy`), and the interactions that the safety checks know (GET /pharmacy/interactions).",
            "/health/ready: waiting_seconds, the age of the oldest waiting event and of the oldest unsealed audit row; "
            "`degraded` while workers are behind.",
            "Mail to patients in their language: English, Spanish, Arabic.",
            "A request body that takes longer than ten seconds gets 408 REQUEST_TIMEOUT. While the disk is full, "
            "every write gets 503 with Retry-After, and reads continue.",
            "Consultations and medical history: a diagnosis that does not fit the patient's age or sex is saved with the warning "
            "unusual_for_patient.",
            "Consultations: vital signs are checked against the age, against each other and against the last "
            "value; weight_unit, temperature_unit and height_unit (stored as sent and in metric units); bp "
            "accepts 90/P and not_measurable.",
            "Medical history: a vital sign is checked as in a consultation; an implausible value requires confirmed_implausible.",
            "Consultations: an urgent vital sign returns a warning (vital_alert), notifies the doctor and marks "
            "the queue (alert_since). A nurse marks a consultation as ready for the doctor with POST "
            "/consultations/{id}/ready (ready_since). A consultation that was handed over is in the queue of its "
            "new doctor (GET /queue: doctor_id, doctor_name).",
            "Schedules: hours may end at 24:00 (/doctors/{id}/schedule).",
            "Series: daily, weekly and monthly, with by_weekday, by_month_day, by_set_position, count or until "
            "(/appointments/series); every_weeks is 0 where a series is not weekly.",
            "ICD-10-CM: everyday terms, abbreviations, British spellings and misspelt words find their diagnosis "
            "(/terminology/icd10); `fuzzy` is true if the reply shows codes of similar spellings.",
            "Consultations: replies warn while the tests of step 5 have not been ordered, or the medicines of "
            "step 8 have not been checked and prescribed (warnings not_ordered, not_prescribed).",
            "Patients: first_name or last_name may be empty, also for staff. date_of_birth also accepts YYYY-MM "
            "and YYYY; a registration may send age instead. The detail has date_of_birth_precision, "
            "time_of_birth and age_in_words, and a country in the address if one is recorded.",
            "E-mail addresses in any script (josé@example.com).",
            "Managers find a patient (name, birth date, MRN, telephone), see appointments, queue and waitlist without "
            "notes, plan schedules, time off and rooms, manage all staff but administrators, read the audit log, and send "
            "notifications.",
            "Patients and appointments: paging by cursor, which new records do not shift (GET /patients?cursor=, "
            "GET /appointments?cursor=).",
            "Appointments: a check-in can be undone (POST /appointments/{id}/undo-check-in); `early` allows a "
            "check-in or a start on another day (/check-in, PUT /appointments/{id}, POST /consultations).",
            "Warning visits_affected, with a count: a death (PUT /patients/{id}), a deactivation, a merge with a "
            "record that is deceased or inactive, new working hours (PUT /doctors/{id}/schedule), a doctor who "
            "is deactivated or gets another role (POST /users/{id}/deactivate, PUT /users/{id}).",
            "GET /v1 is an index: the version, and links to the OpenAPI file and the developer pages.",
            "JSON of more than 1 KB is sent in gzip if Accept-Encoding allows it, and the OpenAPI file without blanks. The "
            "ETag stays the same. Replies that hold tokens or secrets are not compressed.",
            "Errors: every refusal has details.reason, a code for programs, such as slot_taken, not_today or patient_not_active. "
            "Each operation of the OpenAPI file lists its own reasons (x-reasons), and the page of errors lists those of all "
            "operations. error.doc_url is the address of that page.",
            "The OpenAPI file says what each operation does, which events it emits (x-events) and what each value is. Every body "
            "has an example that works in the sandbox as it is printed; appointment_001 and consultation_001 to "
            "consultation_003 are further names of samples.",
            "POST /auth/password/change accepts revoke_api_keys; a password set through a mailed link revokes every API key.",
        ),
        changed=(
            "Managers, who could not read patients, appointments, queue and waitlist until now, get them without email, gender, "
            "note, triage_reason and alert_since: these fields may now be missing, for managers alone.",
            "Messages and descriptions are in plain English and name the field, the problem and the remedy. Codes, reasons and "
            "fields are unchanged: programs read those.",
            "The OpenAPI file, not the JSON: components have other names (ChartEntry, AccessLogEntry, Acknowledgement, "
            "ErrorInfo, TriageLevel), `data` of every reply is a component (PatientData, PatientListData), the "
            "details of refusals are described, and what may be null is a reference or null, such as visits[].because of a "
            "move and the objects of expand=; the data of each step and the details of a chart entry have components; "
            "a choice that may be blank is a component too "
            "(CodeSystemOrBlank). There is no NullEnum, which did not compile in Python and Java.",
            "A method that a path does not have is 405 whatever the parameters. A path that does not exist counts against the "
            "limit of the caller. One token in both Authorization and X-API-Key is one credential. servers[0] of the OpenAPI "
            "file is the absolute address of this installation.",
            "GET /patients/{id}/merge-preview: counts[].name, the name to display, uses the words of the staff pages (visits, "
            "waiting list entries); counts[].model is the same.",
            "/health/ready repeats its result for one second.",
            "Consultations: a nurse cancels only a consultation that no doctor has worked on, otherwise 409 seen_by_doctor "
            "(POST /consultations/{id}/cancel).",
            "Medical history: occurred_at and ended_at also accept YYYY-MM and YYYY, and are returned as they "
            "were entered: a date that was sent without a time is no longer returned as an instant.",
            "Names and other single-line texts are stored in Unicode's normal form C, without direction marks "
            "and control characters; line breaks and tabs become spaces, and a text of invisible characters "
            "alone is refused.",
            "Care teams of restricted charts: an appointment adds its doctor only if the patient, reception, an "
            "administrator or a member booked it, and no longer once it is cancelled; a new care_team removes "
            "all members that it does not name.",
            "Appointments: a check-in or a start on another day than the appointment's gets 409 not_today unless "
            "`early` is true. Appointments of deceased and inactive patients cannot be moved, confirmed, checked "
            "in or accepted from the waitlist: 409 patient_not_active. What happened before a death can be "
            "entered.",
            "Appointments of charts that are closed to the caller are not counted in the warning of a time off "
            "or in a bulk reschedule (not_shown is always 0), and are not in a doctor's calendar feed.",
            "Merged records: every write that names a retired id is refused with 409 and `details.survivor_id`; "
            "reads still return the survivor.",
            "A change of an e-mail address or a role, and POST /users, /users/{id}/deactivate, /reactivate and "
            "/reset-mfa require the password within five minutes: 401 with details.issue "
            "reauthentication_required.",
            "API keys: scopes decide what a reply shows. The reply to a write without read access to the same "
            "resource contains the id alone; fields of another resource (patient_name and mrn in GET /queue, "
            "message in GET /notifications, candidates of possible_duplicate, details.current, "
            "details.alternatives) are absent without its scope.",
            "Idempotency-Key: a replay of a reply that contained a secret, or data that the caller may no longer "
            "see, gets 409 replay_withheld; after a change of role too (before: 422).",
            "Tokens name their signing key (kid). Tokens of earlier releases, which do not, are refused: sign in again.",
            "These parameters may be repeated (status=a&status=b) or separated by commas, for rows with any of the values, and "
            "so may fields and expand; one value works as before. GET /api-keys query parameter status; "
            "GET /appointments query parameter status; GET /consultations query parameter status; "
            "GET /notifications query parameter status; GET /patients query parameter status; "
            "GET /patients/{id}/medical-history query parameter type; GET /waitlist query parameter status.",
            "POST /auth/mfa/totp/confirm is 409 for a secret that another session was shown.",
            "Audit log: GET /audit-events/verify recomputes a bounded number of rows after those the worker has "
            "verified; whole_trail_verified_at is the time at which the whole log was last found intact. New "
            "flaws chain_lost and chain_replaced.",
        ),
        fixed=(
            "An e-mail address with invisible characters in its domain is refused, as one with them before the @ was.",
            "A header with characters outside ASCII is treated as sent. An Idempotency-Key or If-Match with such characters is "
            "refused; it was ignored before.",
            "Consultations: a weight of 0.1 kg, the stated least one, is accepted with confirmed_implausible; a drug_id that is "
            "a number gets a 400.",
            "The OpenAPI file states what the server has always refused: empty texts and lists (minLength, minItems), the forms "
            "of ids, times of day, days and partial dates (maxLength, pattern), the last page (maximum). `success` is true in "
            "replies and false in refusals, so that types narrow. A time of day has two digits each (09:05).",
            "The OpenAPI file states the form of ids, days, names after fields=, If-Match and allowed_cidrs (pattern, minItems). "
            "A week date (2026-W49-1) as date_from or date_to gets 400.",
            "The OpenAPI file says that reads ignore If-Match (GET /patients/{id}); only a write compares it. It states that the "
            "tags have no commas, hours of a doctor do not end at 00:00, demographics is not null, visit_lengths has a key for "
            "each type of appointment, action_url is a path, and a time is in a year from 1850 to 2200.",
            "A time whose offset has more than 59 minutes (+01:75) gets 400.",
            "A day before 1850 or after 2200 gets 400 in time off, move-appointments, series cancel, audit-events and "
            "availability (date_from); 9999-12-31 got a 500.",
            "The OpenAPI file names each choice once, for generated clients. AppointmentSort, ParticipantExpansion, "
            "ChartEntryExpansion, NotificationStatus, PatientStatus and MergeRecord had no names.",
            "The keys that `fields` can take out of a reply are optional in the OpenAPI file, so that a generated client reads a "
            "reply to `fields=id`; x-required-without-fields lists those that a reply without `fields` always has, as before.",
            "A null character in a query parameter gets 400, never 500.",
            "GET /patients/{id}/medical-history: include_retracted=1 and include_retracted=True also show retracted entries.",
            "Consultations: a follow-up date in the past is refused; a save without any finding completes neither vitals, "
            "history_review nor examination.",
            "Patients: a death in the future or before the birth is refused (400 at deceased_at), and so is a birth after the "
            "death (400 at date_of_birth).",
            "Patients: possible_duplicate also for the same name and telephone (e-mail, policy) with another date of birth, "
            "after an edit (PUT, PATCH), and for the second of two registrations at the same moment.",
            "Charts: a warning already_recorded for an allergy, diagnosis or medicine that is already active; no "
            "known allergies ends with the first allergy, also by a merge or an import; a signed diagnosis that "
            "is on the problem list is recorded with the status `encounter`.",
            "Merges: an allergy or a diagnosis that both records list as active stays active once; the preview "
            "names them (warnings listed_twice, medication_twice). An undo or a triage that would leave a record "
            "without a name gets 409 name_missing, one that would put the death before the birth 409 "
            "dates_contradict.",
            "POST /api-keys/{id}/rotate for another person's key gets 403; administrators can revoke such a key, "
            "which notifies its owner.",
            "API keys: expand= requires the scope of what it shows (403 with details.required_scope).",
            "POST /auth/password/forgot and /auth/password/reset have a limit per address, and forgot one per name (429).",
            "Patient search: names with a comma, caret or slash between them, names without a space in Chinese and Japanese, "
            "national telephone numbers, former numbers of merged records, nicknames and the Arabic article.",
        ),
        widened=(
            "GET /patients/{id}/medical-history 200.data.records[].occurred_at: format date-time became None",
            "GET /patients/{id}/medical-history 200.data.records[].ended_at: format date-time became None",
            "GET /appointments/moves/{id} 200.data.move.visits[].because: type None became string",
            "GET /api-keys query parameter status: type string became array",
            "GET /appointments query parameter status: type string became array",
            "GET /consultations query parameter status: type string became array",
            "GET /notifications query parameter status: type string became array",
            "GET /patients query parameter status: type string became array",
            "GET /patients/{id}/medical-history query parameter type: type string became array",
            "GET /waitlist query parameter status: type string became array",
            # managers alone: they could read none of these until now
            "GET /appointments 200.data.appointments[].patient.email may now be missing",
            "POST /appointments 201.data.appointment.patient.email may now be missing",
            "GET /consultations 200.data.consultations[].patient.email may now be missing",
            "POST /consultations 201.data.consultation.patient.email may now be missing",
            "GET /patients 200.data.patients[].email may now be missing",
            "POST /patients 201.data.patient.demographics.gender may now be missing",
            "POST /patients 201.data.patient.contact.email may now be missing",
            "POST /patients/{id}/merge 201.data.merge.retired.email may now be missing",
            "POST /patients/{id}/merge 201.data.merge.survivor.email may now be missing",
            "GET /queue 200.data.queue[].patient.email may now be missing",
            "GET /waitlist 200.data.waitlist[].patient.email may now be missing",
            "GET /queue 200.data.queue[].alert_since may now be missing",
            "GET /queue 200.data.queue[].triage_reason may now be missing",
            "GET /waitlist 200.data.waitlist[].note may now be missing",
        ),
    ),
    Release(
        version="0.2.0",
        released_on=date(2026, 11, 23),
        added=(
            "Appointments: no doctor, patient or room can be booked twice at the same time, and a conflict "
            "returns three free times; read, change, confirm, check in, mark as a no-show, cancel "
            "(/appointments).",
            "Appointments: weekly series, which report what could not be booked (/appointments/series); an "
            "absent doctor's appointments can be rescheduled after a preview of the plan, exactly as shown if "
            "its `plan` is sent back, and moved back (/doctors/{id}/move-appointments, /appointments/moves).",
            "Doctors: free times across time zones and clock changes, the published week, time off "
            "(/doctors/{id}/availability, /schedule, /time-off); rooms (/rooms).",
            "Waitlist: a free time is offered in order of rank, and the first patient to accept is booked (/waitlist).",
            "Queue: the waiting patients in the order of triage and check-in, with the time waited and the "
            "estimated wait (/queue).",
            "Calendars: an appointment as a file (/appointments/{id}.ics); a doctor's schedule as a feed with "
            "its own revocable address (/doctors/{id}/calendar-feed).",
            "Consultations: eleven steps, saved one by one and resumable on any device, standard, quick and "
            "adaptive; put on hold, handed over, cancelled, signed, amended by addenda (/consultations).",
            "ICD-10-CM: search by words, valid on a date of service (/terminology/icd10).",
        ),
    ),
    Release(
        version="0.1.0",
        released_on=date(2026, 11, 22),
        added=(
            "Sign-in, refresh with single-use tokens, sign-out, the caller's own account: /auth/login, "
            "/auth/refresh, /auth/logout, /auth/me.",
            "A second factor (TOTP) with recovery codes: /auth/mfa/*; confirming the password: /auth/reauthenticate.",
            "Passwords: change, reset, set through a mailed link: /auth/password/*. Own sessions: /auth/sessions.",
            "Patients: list and search, registration, detail, amendment by merge-patch, deactivation and reactivation.",
            "Patients: which recorded patients may be the described person, with score and reasons "
            "(/patients/match); the warning possible_duplicate lists the reasons in `matches`; POST "
            "/patients/{id}/not-same records that two records are two people.",
            "Patients: merge of two records (/patients/{id}/merge, preview at /patients/{id}/merge-preview); the "
            "old id still finds the survivor, and the merge can be undone (/patients/merges/{id}/undo).",
            "Patients: restricted charts (/patients/{id}/restricted), 404 for callers outside the care team; "
            "emergency access for four hours (/patients/{id}/break-glass, /patients/break-glass); who looked at "
            "a record (/patients/{id}/access-log).",
            "Medical history: read by type, recorded by hand, corrected by retraction.",
            "API keys with scopes, expiry, addresses and rotation (/api-keys), sent as X-API-Key or as the "
            "bearer; x-required-scope in the OpenAPI file is the scope that each operation requires of a key.",
            "Users, for administrators: list, invitation, change, deactivation, reactivation, sign-out everywhere (/users).",
            "Doctors: the users whose ids are valid as doctor_id.",
            "Idempotency-Key on every POST except sign-in: a request repeated within 24 hours gets the stored "
            "reply and is not carried out again.",
            "ETags: If-None-Match returns 304 and counts against no limit; If-Match keeps writers from overwriting each other.",
            "fields= selects the keys of a reply, expand= embeds the object that an id refers to; PATCH accepts "
            "application/merge-patch+json.",
            "Notifications: the caller's own with the number of unread, marked as read one by one or all at "
            "once, by page or by cursor; sent by administrators to people and roles (/notifications).",
            "The OpenAPI file at /v1/openapi.json and /v1/openapi.yaml, and these pages.",
        ),
    ),
)
