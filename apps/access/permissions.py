"""Every right there is. A view, an admin page or a field projection names the one it needs; unnamed means refused."""

from enum import StrEnum


class Permission(StrEnum):
    # accounts
    OWN_SESSION = "own_session"  # sign out, read oneself
    OWN_SECURITY = "own_security"  # one's own password, second factor and sign-out: all that an enrolment-only session may
    STAFF_VIEW = "staff.view"  # read the staff list (administration)
    STAFF_MANAGE = "staff.manage"
    DOCTOR_VIEW = "doctor.view"
    KEY_KEEP = "key.keep"  # make, look at, rotate and revoke API keys of one's own
    KEY_KEEP_ALL = "key.keep_all"  # everybody's
    # patients
    PATIENT_VIEW = "patient.view"
    PATIENT_REGISTER = "patient.register"
    PATIENT_MATCH = "patient.match"  # see who on record may be the person described
    PATIENT_AMEND = "patient.amend"
    PATIENT_AMEND_INSURANCE = "patient.amend_insurance"
    PATIENT_DEACTIVATE = "patient.deactivate"
    PATIENT_MERGE = "patient.merge"  # make two records of one person one, and take it back
    PATIENT_RESTRICT = "patient.restrict"  # close a chart to all but its care team, name the team, open it again
    PATIENT_BREAK_GLASS = "patient.break_glass"  # open a restricted chart in an emergency
    PATIENT_CARE_TEAM = "patient.care_team"  # stand on the care team of a restricted chart
    GLASS_REVIEW = "glass.review"  # see who broke the glass, and sign it off
    PATIENT_SEE_ADDRESS = "patient.see_address"
    PATIENT_SEE_EMERGENCY_CONTACT = "patient.see_emergency_contact"
    PATIENT_SEE_INSURANCE = "patient.see_insurance"
    PATIENT_SEE_ALLERGY_STATUS = "patient.see_allergy_status"
    # the chart; which types a role may read or write is in `chart_types`
    CHART_VIEW = "chart.view"
    CHART_WRITE = "chart.write"
    # appointments
    APPOINTMENT_VIEW = "appointment.view"
    APPOINTMENT_SEE_NOTES = "appointment.see_notes"  # what was noted of a visit, beside when and with whom it is
    APPOINTMENT_BOOK = "appointment.book"
    APPOINTMENT_CHANGE = "appointment.change"  # move, confirm, check in, cancel; in every diary with APPOINTMENT_ANY
    APPOINTMENT_EXPORT = "appointment.export"  # take a visit along as a calendar file
    APPOINTMENT_ANY = "appointment.any"  # act in every doctor's diary, not in one's own alone
    APPOINTMENT_OVERBOOK = "appointment.overbook"  # put a visit in beside the free slots
    SCHEDULE_KEEP = "schedule.keep"  # a doctor's hours and time off
    ROOM_VIEW = "room.view"
    ROOM_KEEP = "room.keep"
    QUEUE_VIEW = "queue.view"
    WAITLIST_VIEW = "waitlist.view"
    WAITLIST_KEEP = "waitlist.keep"
    # consultations
    CONSULTATION_VIEW = "consultation.view"
    CONSULTATION_SEE_NOTES = "consultation.see_notes"  # the narrative, beside the codes
    CONSULTATION_START = "consultation.start"
    CONSULTATION_STEP = "consultation.step"  # save steps 0 to 3; the later ones with CONSULTATION_STEP_ANY
    CONSULTATION_STEP_ANY = "consultation.step_any"
    CONSULTATION_ANY = "consultation.any"  # act in every doctor's visits, not in one's own alone; start one for a doctor
    CONSULTATION_HOLD = "consultation.hold"  # hold, resume, cancel
    CONSULTATION_READY = "consultation.ready"  # hand a visit to its doctor
    CONSULTATION_SIGN = "consultation.sign"  # complete, add after signing, hand over
    # audit
    AUDIT_VIEW = "audit.view"
    # notifications
    NOTIFICATION_READ = "notification.read"  # one's own
    NOTIFICATION_SEND = "notification.send"
    # terminology
    TERMINOLOGY_READ = "terminology.read"  # look up codes
    # upkeep
    DELIVERY_RETRY = "delivery.retry"  # see which facts did not reach a listener, and try again
