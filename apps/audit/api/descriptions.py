"""What the OpenAPI file says of the values of the audit log (see `apps.rest.api.descriptions`)."""

DESCRIPTIONS = {
    "at": "When it happened",
    "AuditEvent.user_id": "The user who did it; null for the system and for callers who did not sign in",
    "AuditEvent.role": "The role of the user at that time",
    "AuditEvent.action": "What was done, for programs, such as `patient.read`",
    "AuditEvent.patient_id": "The patient whose record it concerns; null if none",
    "AuditEvent.purpose": "Why: treatment, payment, operations or break_glass",
    "Broken.id": "The row; null if only its position is known",
    "Broken.at": "When the row was written; null if only its position is known",
    "first_broken": "The first row that differs from its seal; null if none was found",
    "FlawEnum": "What is wrong with the row.",
    "OutcomeEnum": "Whether it was done, refused or failed.",
}
