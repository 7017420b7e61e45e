"""What background jobs, and the listeners of events, are called on pages."""

from datetime import timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

# What beat starts, by its name in the declarations: its words, and what it is good for.
JOBS: dict[str, tuple[str | Promise, str | Promise]] = {
    "advance the offers of the waitlist": (
        _("Offer freed times"),
        _("Ends offers without an answer and offers free times to the waiting list"),
    ),
    "compact the row counters": (_("Tidy up counters"), _("So that lists count fast")),
    "create the next months' audit partitions": (
        _("Prepare the audit log for the next months"),
        _("So that every action can be recorded"),
    ),
    "delete expired idempotent replies": (
        _("Delete stored replies of the API"),
        _("A program may ask for them again for 24 hours"),
    ),
    "find the common prefixes of names": (_("Look for frequent names"), _("So that the patient search stays fast")),
    "look for unusual reading": (
        _("Look for unusual reading"),
        _("Tells administrators who opened unusually many records"),
    ),
    "purge expired rows": (_("Delete old data"), _("Data whose retention period has passed")),
    "relay the events that are due": (
        _("Pass on events"),
        _("Starts messages and checks that are due, also after a restart"),
    ),
    "seal late rows of the audit log": (_("Seal late entries of the audit log"), _("Entries that took long to be written")),
    "seal the audit log": (_("Seal the audit log"), _("So that a later change is seen")),
    "verify the audit log": (_("Check the audit log"), _("The next part; the whole log once a day")),
}
# Who listens to events, by the last parts of the listener's name: what it does.
LISTENERS: dict[str, str | Promise] = {
    "accounts.listeners.process_reset_request": _("Check a request for a new password"),
    "appointments.listeners.close_the_calendar": _("Close the calendar address of a doctor who left"),
    "appointments.listeners.offer_freed_time": _("Offer the freed time to the waiting list"),
    "appointments.listeners.offer_to_the_next": _("Offer the time to the next patient on the waiting list"),
    "appointments.listeners.refresh_care_team_of_survivor": _("Update the care team of the kept record"),
    "notifications.account_changes.listeners.mail_former_address": _("E-mail to the former address"),
    "notifications.account_changes.listeners.mail_key_revoked_by_other": _("E-mail about a revoked API key"),
    "notifications.account_changes.listeners.mail_new_address": _("E-mail to the new address"),
    "notifications.account_changes.listeners.mail_password_set_by_other": _("E-mail about a new password"),
    "notifications.account_changes.listeners.notify_of_email_change": _("Message about a new e-mail address"),
    "notifications.account_changes.listeners.notify_of_key_revoked_by_other": _("Message about a revoked API key"),
    "notifications.listeners.mail_alert_to_doctor": _("E-mail to the doctor about an alert"),
    "notifications.listeners.mail_booking": _("E-mail to the patient about the appointment"),
    "notifications.listeners.mail_change": _("E-mail to the patient about the changed appointment"),
    "notifications.listeners.mail_invitation": _("E-mail with the invitation"),
    "notifications.listeners.mail_new_place": _("E-mail about a sign-in from a new place"),
    "notifications.listeners.mail_offer": _("E-mail to the patient about an earlier time"),
    "notifications.listeners.mail_password_reset_link": _("E-mail with the link for a new password"),
    "notifications.listeners.mail_series": _("E-mail to the patient about repeat appointments"),
    "notifications.listeners.notify_of_merge_request": _("Message to the administrators about a merge that is asked for"),
    "notifications.listeners.notify_doctor_of_alert": _("Message to the doctor about an alert"),
    "notifications.listeners.notify_doctor_of_booking": _("Message to the doctor about the appointment"),
    "notifications.listeners.notify_doctor_of_ready_patient": _("Message to the doctor that the patient is ready"),
    "notifications.listeners.notify_doctors_of_change": _("Message to the doctors about the changed appointment"),
    "notifications.listeners.notify_next_doctor_of_open_alerts": _("Message to the next doctor about open alerts"),
    "notifications.listeners.notify_of_break_glass": _("Message to administrators about emergency access"),
    "notifications.listeners.notify_of_new_place": _("Message about a sign-in from a new place"),
    "notifications.listeners.notify_of_second_factor_reset": _("Message about two-step sign-in"),
    "notifications.listeners.notify_of_unusual_access": _("Message to administrators about unusual reading"),
    "notifications.listeners.notify_reception_of_offer": _("Message to reception to call the patient"),
    "patients.listeners.check_amended": _("Compare the changed record with others"),
    "patients.listeners.check_imported": _("Compare the imported record with others"),
    "patients.listeners.check_owners": _("Compare both records with others"),
    "patients.listeners.check_registered": _("Compare the new record with others"),
    "patients.listeners.check_separated": _("Compare both records with others"),
    "patients.listeners.check_survivor": _("Compare the kept record with others"),
}


def job(name: str) -> tuple[str, str]:
    """Returns what a scheduled job is called, and what it is good for."""
    words, purpose = JOBS.get(name, (name.capitalize(), ""))
    return str(words), str(purpose)


def listener(path: str) -> str:
    """Returns what a listener does; of one that a later version removed, its name with spaces."""
    return str(LISTENERS.get(path.removeprefix("apps."), path.rpartition(".")[2].replace("_", " ").capitalize()))


def interval(every: timedelta) -> str:
    """Returns how often a job runs: "every 3 seconds", "every hour"."""
    seconds = round(every.total_seconds())
    once = {60: gettext("every minute"), 3_600: gettext("every hour"), 86_400: gettext("every day")}
    if seconds in once:
        return once[seconds]
    if seconds % 60:
        return gettext("every %(number)s seconds") % {"number": seconds}
    minutes = seconds // 60
    return ngettext("every %(number)s minute", "every %(number)s minutes", minutes) % {"number": minutes}
