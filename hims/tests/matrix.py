"""Section 2 of the contract, as data: who may call what.

A cell says: `y` yes · `o` own or assigned only · `r` reduced · `-` refused (403) · `c` refused, unless the installation lets the
administrator act clinically (HIMS_ADMIN_CLINICAL=1). Rows of routes that do not exist yet wait for them; a route without fails.
"""

from hims.tests.contracts import contracts

ROLES = ("admin", "doctor", "nurse", "receptionist", "pharmacist", "lab_technician", "billing", "manager")
EVERYBODY, ADMIN, CHARTED = "y y y y y y y y", "y - - - - - - -", "c y y - r r r -"

#                                                              A D N R P L B  manager
MATRIX: dict[str, str] = {
    # accounts
    "POST /auth/logout": EVERYBODY,
    "GET /auth/me": EVERYBODY,
    "PUT /auth/me": EVERYBODY,
    "PATCH /auth/me": EVERYBODY,
    "POST /auth/password/change": EVERYBODY,
    "POST /auth/reauthenticate": EVERYBODY,
    "GET /auth/sessions": EVERYBODY,
    "DELETE /auth/sessions": EVERYBODY,
    "DELETE /auth/sessions/{id}": EVERYBODY,
    "POST /auth/mfa/totp": EVERYBODY,
    "POST /auth/mfa/totp/confirm": EVERYBODY,
    "POST /auth/mfa/recovery-codes": EVERYBODY,
    "DELETE /auth/mfa/totp": EVERYBODY,
    "GET /api-keys": "y o o o o o o o",
    "POST /api-keys": "y o o o o o o o",
    "GET /api-keys/{id}": "y o o o o o o o",
    "DELETE /api-keys/{id}": "y o o o o o o o",
    "POST /api-keys/{id}/rotate": "y o o o o o o o",
    "GET /users": ADMIN,
    "POST /users": ADMIN,
    "GET /users/{id}": ADMIN,
    "PUT /users/{id}": ADMIN,
    "PATCH /users/{id}": ADMIN,
    "POST /users/{id}/deactivate": ADMIN,
    "POST /users/{id}/reactivate": ADMIN,
    "POST /users/{id}/reset-mfa": ADMIN,
    "POST /users/{id}/revoke-sessions": ADMIN,
    "GET /doctors": "y y y y y y y -",
    "GET /doctors/{id}": "y y y y y y y -",
    # patients
    "GET /patients": "y y y y r r r -",
    "GET /patients/{id}": "y y y y r r r -",
    "POST /patients": "y y y y - - - -",
    "PUT /patients/{id}": "y y y y - - r -",
    "PATCH /patients/{id}": "y y y y - - r -",
    "POST /patients/{id}/deactivate": "y - - y - - - -",
    "POST /patients/{id}/reactivate": "y - - y - - - -",
    "POST /patients/{id}/portal-invite": "y - - y - - - -",
    "POST /patients/match": "y y y y - - - -",
    "POST /patients/{id}/not-same": "y y y y - - - -",  # ours: as registering
    "GET /patients/{id}/merge-preview": ADMIN,
    "POST /patients/{id}/merge": ADMIN,
    "GET /patients/merges/{id}": ADMIN,
    "POST /patients/merges/{id}/undo": ADMIN,
    "PUT /patients/{id}/restricted": ADMIN,
    "POST /patients/{id}/break-glass": "- y y - y - - -",  # never whoever reviews it: HIMS_ADMIN_CLINICAL changes nothing
    "POST /patients/break-glass": "- y y - y - - -",
    "GET /patients/{id}/access-log": ADMIN,
    "GET /patients/{id}/medical-history": CHARTED,
    "GET /patients/{id}/medical-history/{entry}": CHARTED,
    "POST /patients/{id}/medical-history": "c y y - r - - -",
    "POST /patients/{id}/medical-history/{entry}/retract": "c y y - r - - -",
    # appointments
    "GET /doctors/{id}/availability": "y y y y y y y -",
    "GET /doctors/{id}/schedule": "y y y y y y y -",  # ours: whoever sees availability sees what makes it
    "PUT /doctors/{id}/schedule": "y o - y - - - -",
    "GET /doctors/{id}/time-off": "y y y y y y y -",
    "GET /doctors/{id}/time-off/{time_off}": "y y y y y y y -",
    "POST /doctors/{id}/time-off": "y o - y - - - -",
    "DELETE /doctors/{id}/time-off/{time_off}": "y o - y - - - -",
    "GET /rooms": "y y y y - - - -",
    "GET /appointments": "y y y y - - r -",
    "GET /appointments/{id}": "y y y y - - r -",
    "POST /appointments": "y y y y - - - -",
    "PUT /appointments/{id}": "y o y y - - - -",
    "PATCH /appointments/{id}": "y o y y - - - -",
    "DELETE /appointments/{id}": "y o y y - - - -",
    "POST /appointments/{id}/cancel": "y o y y - - - -",
    "POST /appointments/{id}/confirm": "y o y y - - - -",
    "POST /appointments/{id}/check-in": "y o y y - - - -",
    "POST /appointments/{id}/undo-check-in": "y o y y - - - -",
    "POST /appointments/{id}/no-show": "y o y y - - - -",
    "GET /queue": "y o y y - - - -",
    "GET /appointments/{id}.ics": "y o y y - - - -",
    "POST /appointments/series": "y o y y - - - -",
    "GET /appointments/series/{id}": "y y y y - - r -",  # ours: as the appointments
    "POST /appointments/series/{id}/cancel": "y o y y - - - -",
    "POST /doctors/{id}/move-appointments": "y o - y - - - -",  # ours, like the schedule
    "GET /appointments/moves/{id}": "y o - y - - - -",
    "POST /appointments/moves/{id}/undo": "y o - y - - - -",
    "GET /doctors/{id}/calendar-feed": "y o - y - - - -",
    "POST /doctors/{id}/calendar-feed": "y o - y - - - -",
    "DELETE /doctors/{id}/calendar-feed": "y o - y - - - -",
    **dict.fromkeys(("GET /waitlist", "GET /waitlist/{id}", "POST /waitlist", "DELETE /waitlist/{id}"), "y o y y - - - -"),
    **dict.fromkeys(("POST /waitlist/{id}/accept", "POST /waitlist/{id}/decline"), "y o y y - - - -"),  # ours: decline
    # consultations
    "GET /consultations": "c y y - - - r -",
    "GET /consultations/{id}": "c y y - - - r -",
    "POST /consultations": "c y y - - - - -",
    "PUT /consultations/{id}/step": "c o r - - - - -",
    "POST /consultations/{id}/complete": "c o - - - - - -",
    "POST /consultations/{id}/addenda": "c o - - - - - -",
    "POST /consultations/{id}/hold": "c o y - - - - -",
    "POST /consultations/{id}/resume": "c o y - - - - -",
    "POST /consultations/{id}/cancel": "c o y - - - - -",
    "POST /consultations/{id}/ready": "c - y - - - - -",
    "POST /consultations/{id}/hand-over": "c o - - - - - -",
    # audit, notifications
    "GET /audit-events": ADMIN,
    "GET /audit-events/verify": ADMIN,
    "GET /notifications": "o o o o o o o o",
    "PUT /notifications/{id}/read": "o o o o o o o o",
    "POST /notifications/read-all": "o o o o o o o o",
    "POST /notifications": ADMIN,
    "GET /notifications/sent/{id}": ADMIN,
    "GET /terminology/icd10": "y y y y y y y -",
}
for _contract in contracts():  # an app may state its rows itself
    MATRIX |= _contract.MATRIX
