"""Every permission. A view, an admin page or a field projection names the one it requires; an unnamed one is refused."""

from enum import StrEnum


class Permission(StrEnum):
    # accounts
    OWN_SESSION = "own_session"  # sign out, read the own account
    OWN_SECURITY = "own_security"  # the own password, second factor and sign-out: all that an enrolment-only session may do
    STAFF_VIEW = "staff.view"  # read the staff list (administration)
    STAFF_MANAGE = "staff.manage"
    DOCTOR_VIEW = "doctor.view"
    KEY_KEEP = "key.keep"  # create, list, rotate and revoke the own API keys
    KEY_KEEP_ALL = "key.keep_all"  # all users' keys
    # patients
    PATIENT_VIEW = "patient.view"
    PATIENT_REGISTER = "patient.register"
    PATIENT_MATCH = "patient.match"  # see which recorded patients may be the described person
    PATIENT_AMEND = "patient.amend"
    PATIENT_AMEND_INSURANCE = "patient.amend_insurance"
    PATIENT_DEACTIVATE = "patient.deactivate"
    PATIENT_MERGE = "patient.merge"  # merge two records of one person, and undo it
    PATIENT_RESTRICT = "patient.restrict"  # restrict a chart to its care team, name the team, lift the restriction
    PATIENT_BREAK_GLASS = "patient.break_glass"  # open a restricted chart in an emergency
    PATIENT_CARE_TEAM = "patient.care_team"  # be a member of the care team of a restricted chart
    GLASS_REVIEW = "glass.review"  # see who used emergency access, and sign it off
    PATIENT_SEE_ADDRESS = "patient.see_address"
    PATIENT_SEE_EMERGENCY_CONTACT = "patient.see_emergency_contact"
    PATIENT_SEE_INSURANCE = "patient.see_insurance"
    PATIENT_SEE_ALLERGY_STATUS = "patient.see_allergy_status"
    # the chart; which types a role may read or write is in `chart_types`
    CHART_VIEW = "chart.view"
    CHART_WRITE = "chart.write"
    # appointments
    APPOINTMENT_VIEW = "appointment.view"
    APPOINTMENT_SEE_NOTES = "appointment.see_notes"  # the notes of an appointment, in addition to its time and people
    APPOINTMENT_BOOK = "appointment.book"
    APPOINTMENT_CHANGE = "appointment.change"  # move, confirm, check in, cancel; in every schedule with APPOINTMENT_ANY
    APPOINTMENT_EXPORT = "appointment.export"  # download an appointment as a calendar file
    APPOINTMENT_ANY = "appointment.any"  # work in every doctor's schedule, not only the own
    APPOINTMENT_OVERBOOK = "appointment.overbook"  # book in addition to the free slots
    SCHEDULE_KEEP = "schedule.keep"  # a doctor's hours and time off
    ROOM_VIEW = "room.view"
    ROOM_KEEP = "room.keep"
    QUEUE_VIEW = "queue.view"
    WAITLIST_VIEW = "waitlist.view"
    WAITLIST_KEEP = "waitlist.keep"
    # consultations
    CONSULTATION_VIEW = "consultation.view"
    CONSULTATION_SEE_NOTES = "consultation.see_notes"  # the narrative, in addition to the codes
    CONSULTATION_START = "consultation.start"
    CONSULTATION_STEP = "consultation.step"  # save steps 0 to 3; the later ones with CONSULTATION_STEP_ANY
    CONSULTATION_STEP_ANY = "consultation.step_any"
    CONSULTATION_ANY = "consultation.any"  # work in every doctor's consultations, not only the own; start one for a doctor
    CONSULTATION_HOLD = "consultation.hold"  # hold, resume, cancel
    CONSULTATION_READY = "consultation.ready"  # mark a consultation as ready for its doctor
    CONSULTATION_SIGN = "consultation.sign"  # complete, add after signing, hand over
    # audit
    AUDIT_VIEW = "audit.view"
    # notifications
    NOTIFICATION_READ = "notification.read"  # the own ones
    NOTIFICATION_SEND = "notification.send"
    # terminology
    TERMINOLOGY_READ = "terminology.read"  # look up codes
    # maintenance
    DELIVERY_RETRY = "delivery.retry"  # see which events did not reach a listener, and try again
