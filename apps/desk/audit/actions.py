"""The actions of the audit log in words: what a member of staff did, as a sentence without its subject."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

# What an action is about (the part before the point).
OBJECTS: Mapping[str, str | Promise] = {
    "api_key": _("an API key"),
    "appointment": _("an appointment"),
    "appointments": _("the appointments"),
    "audit": _("the audit log"),
    "calendar_feed": _("a calendar feed"),
    "chart": _("the chart"),
    "consultation": _("a visit"),
    "delivery": _("the deliveries of events"),
    "doctor": _("a doctor’s profile"),
    "drug": _("a medicine of the catalogue"),
    "drug_knowledge": _("a safety rule"),
    "emergency_access": _("the emergency access"),
    "home": _("their home page"),
    "icd10": _("the diagnosis codes"),
    "icd10_release": _("the releases of diagnosis codes"),
    "merge": _("a merge of records"),
    "move": _("a cover for absence"),
    "not_duplicate": _("the records of different people"),
    "notice": _("the messages to staff"),
    "notification": _("their notifications"),
    "patient": _("the patient’s record"),
    "queue": _("the queue"),
    "restriction": _("the restricted records"),
    "room": _("a room"),
    "schedule": _("a schedule"),
    "series": _("a repeat booking"),
    "session": _("the API sessions"),
    "staff": _("a staff account"),
    "suspected_pair": _("the possible duplicates"),
    "time_off": _("time off"),
    "trail": _("the audit log"),
    "waitlist": _("the waiting list"),
}
# What a list is of, for those whose object above is one thing.
LISTS: Mapping[str, str | Promise] = {
    "api_key": _("the API keys"),
    "appointment": _("the appointments"),
    "consultation": _("the visits"),
    "doctor": _("the doctors"),
    "drug": _("the medicines"),
    "drug_knowledge": _("the safety rules"),
    "merge": _("the merges of records"),
    "move": _("the covers for absence"),
    "patient": _("the patients"),
    "room": _("the rooms"),
    "schedule": _("the doctors’ hours"),
    "series": _("the repeat bookings"),
    "staff": _("the staff accounts"),
    "time_off": _("the days away"),
}
_OF_LISTS = frozenset({"listed", "searched"})
# What was done with it (the part after the point).
VERBS: Mapping[str, str | Promise] = {
    "added": _("Added {}"),
    "asked_for": _("Opened the form for {}"),
    "cancelled": _("Cancelled {}"),
    "changed": _("Changed {}"),
    "created": _("Booked {}"),
    "exported": _("Exported {}"),
    "history_read": _("Looked at who opened {}"),
    "listed": _("Looked at {}"),
    "read": _("Opened {}"),
    "recorded": _("Added an entry to {}"),
    "refused": _("Was refused {}"),
    "revoked": _("Revoked {}"),
    "searched": _("Searched {}"),
    "started": _("Started {}"),
    "updated": _("Changed {}"),
}
# Actions with words of their own.
WORDS: Mapping[str, str | Promise] = {
    "access.denied": _("Was refused a request"),
    "api_key.asked_for": _("Asked for an API key"),
    "api_key.made": _("Made an API key"),
    "api_key.rotated": _("Replaced an API key"),
    "appointment.series_booked": _("Booked a repeat booking"),
    "appointment.taken_over": _("Imported appointments"),
    "appointments.diary_read": _("Opened the schedule"),
    "audit.unusual_reading": _("Opened unusually many records"),
    "calendar_feed.fetched": _("A calendar program fetched the schedule"),
    "chart.asked_for": _("Opened the form for a chart entry"),
    "chart.entries_recorded": _("Added entries to the chart"),
    "chart.retracted": _("Retracted a chart entry"),
    "delivery.retried": _("Sent an event again"),
    "consultation.alert_cleared": _("A measurement became normal again"),
    "consultation.alert_raised": _("A measurement raised an alert"),
    "consultation.amended": _("Added an addendum to a visit"),
    "consultation.completed": _("Signed a visit"),
    "consultation.handed_over": _("Passed a visit to another doctor"),
    "consultation.held": _("Paused a visit"),
    "consultation.ready": _("Marked a visit as ready for the doctor"),
    "consultation.resumed": _("Resumed a visit"),
    "consultation.step_saved": _("Saved a step of a visit"),
    "consultation.taken_over": _("Imported visits"),
    "mfa.begun": _("Began to set up two-step sign-in"),
    "mfa.disabled": _("Switched two-step sign-in off"),
    "mfa.enabled": _("Switched two-step sign-in on"),
    "mfa.recovery_code_used": _("Signed in with a recovery code"),
    "mfa.recovery_codes_renewed": _("Made new recovery codes"),
    "notification.all_read": _("Marked all notifications as read"),
    "notification.read": _("Marked a notification as read"),
    "notification.sent": _("Sent a message to staff"),
    "page.refused": _("Was refused a page"),
    "password.help_asked": _("Asked for help with a password"),
    "password.reset_asked": _("Asked for a new password"),
    "patient.access_log_read": _("Looked at who opened the patient’s record"),
    "patient.asked_for": _("Opened the emergency access to the record"),
    "patient.care_team_joined": _("Joined the care team"),
    "patient.care_team_left": _("Left the care team"),
    "patient.deactivated": _("Deactivated the patient’s record"),
    "patient.duplicates_suspected": _("Found possible duplicates"),
    "patient.glass_broken": _("Opened the record in an emergency"),
    "patient.glass_reviewed": _("Reviewed an emergency access"),
    "patient.matched": _("Compared the patient with existing records"),
    "patient.merge_previewed": _("Compared two records before a merge"),
    "patient.merge_requested": _("Asked for a merge of two records"),
    "patient.merge_triage_settled": _("Sorted an entry after a merge"),
    "patient.merge_undone": _("Undid a merge of records"),
    "patient.merged": _("Merged two records"),
    "patient.reactivated": _("Reactivated the patient’s record"),
    "patient.registered": _("Registered the patient"),
    "drug.knowledge_changed": _("Changed the safety rules"),
    "drug.loaded": _("Loaded medicines into the catalogue"),
    "patient.restricted": _("Restricted the record"),
    "patient.restriction_lifted": _("Opened a restricted record to all staff"),
    "patient.searched": _("Searched for patients"),
    "patient.told_apart": _("Marked two records as different people"),
    "patient.transferred_in": _("Imported the patient’s record"),
    "retention.purged": _("Deleted what had passed its retention period"),
    "sandbox.reset": _("Reset the sample data"),
    "schedule.calendar_feed_made": _("Made a calendar feed"),
    "schedule.calendar_feed_revoked": _("Revoked a calendar feed"),
    "schedule.move_planned": _("Planned a cover for absence"),
    "schedule.move_read": _("Opened a cover for absence"),
    "schedule.time_off_added": _("Added time off"),
    "schedule.time_off_removed": _("Removed time off"),
    "schedule.visits_moved": _("Moved the appointments of an absent doctor"),
    "schedule.visits_put_back": _("Moved appointments of an absent doctor back"),
    "session.ended": _("Signed out"),
    "session.new_place": _("Signed in from a new place"),
    "session.reauthenticated": _("Entered the password again"),
    "session.refused": _("Failed to sign in"),
    "session.started": _("Signed in"),
    "staff.deactivated": _("Deactivated a staff account"),
    "staff.email_changed": _("Changed the e-mail address of an account"),
    "staff.hired": _("Made a staff account"),
    "staff.invited": _("Invited a member of staff"),
    "staff.reactivated": _("Reactivated a staff account"),
    "trail.verified": _("Verified the audit log"),
    "waitlist.added": _("Put the patient on the waiting list"),
    "waitlist.expired": _("The last day on the waiting list passed"),
    "waitlist.offer_settled": _("An offer of the waiting list ended"),
    "waitlist.offered": _("Offered a freed time"),
    "waitlist.withdrawn": _("Took the patient off the waiting list"),
}
_REPLAYED = "replayed"


def known_words(action: str) -> str:
    """Returns the words of an action in the language of the page; empty if it has none."""
    thing, _point, verb = action.partition(".")
    if verb == _REPLAYED:
        return gettext("Sent the same request again")
    if action in WORDS:
        return str(WORDS[action])
    if thing not in OBJECTS or verb not in VERBS:
        return ""
    return str(VERBS[verb]).format(LISTS.get(thing, OBJECTS[thing]) if verb in _OF_LISTS else OBJECTS[thing])


def words(action: str) -> str:
    """Returns the action in words; an action of an older version that has none as it is stored."""
    return known_words(action) or action


def actions_with(text: str) -> list[str]:
    """Returns the actions whose words contain the text."""
    composed = [f"{thing}.{verb}" for thing in OBJECTS for verb in VERBS]
    return [action for action in dict.fromkeys([*WORDS, *composed]) if text.casefold() in known_words(action).casefold()]
