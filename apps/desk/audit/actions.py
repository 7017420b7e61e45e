"""The actions of the audit log in words: what a member of staff did, as a sentence without its subject."""

from collections.abc import Mapping

# What an action is about (the part before the point).
OBJECTS: Mapping[str, str] = {
    "api_key": "an API key",
    "appointment": "an appointment",
    "appointments": "the appointments",
    "audit": "the audit log",
    "calendar_feed": "a calendar feed",
    "chart": "the chart",
    "consultation": "a visit",
    "delivery": "the deliveries of events",
    "doctor": "a doctor’s profile",
    "emergency_access": "the emergency access",
    "home": "their home page",
    "icd10": "the diagnosis codes",
    "icd10_release": "the releases of diagnosis codes",
    "merge": "a merge of records",
    "move": "a cover for absence",
    "not_duplicate": "the records of different people",
    "notice": "the messages to staff",
    "notification": "their notifications",
    "patient": "the patient’s record",
    "queue": "the queue",
    "restriction": "the restricted records",
    "room": "a room",
    "schedule": "a schedule",
    "series": "a repeat booking",
    "session": "the API sessions",
    "staff": "a staff account",
    "suspected_pair": "the possible duplicates",
    "time_off": "time off",
    "trail": "the audit log",
    "waitlist": "the waiting list",
}
# What a list is of, for those whose object above is one thing.
LISTS: Mapping[str, str] = {
    "api_key": "the API keys",
    "appointment": "the appointments",
    "consultation": "the visits",
    "doctor": "the doctors",
    "merge": "the merges of records",
    "move": "the covers for absence",
    "patient": "the patients",
    "room": "the rooms",
    "schedule": "the doctors’ hours",
    "series": "the repeat bookings",
    "staff": "the staff accounts",
    "time_off": "the days away",
}
_OF_LISTS = frozenset({"listed", "searched"})
# What was done with it (the part after the point).
VERBS: Mapping[str, str] = {
    "added": "Added {}",
    "cancelled": "Cancelled {}",
    "changed": "Changed {}",
    "created": "Booked {}",
    "exported": "Exported {}",
    "history_read": "Looked at who opened {}",
    "listed": "Looked at {}",
    "read": "Opened {}",
    "recorded": "Added an entry to {}",
    "refused": "Was refused {}",
    "revoked": "Revoked {}",
    "searched": "Searched {}",
    "started": "Started {}",
    "updated": "Changed {}",
}
# Actions with words of their own.
WORDS: Mapping[str, str] = {
    "access.denied": "Was refused a request",
    "api_key.asked_for": "Asked for an API key",
    "api_key.made": "Made an API key",
    "api_key.rotated": "Replaced an API key",
    "appointment.series_booked": "Booked a repeat booking",
    "appointment.taken_over": "Imported appointments",
    "appointments.diary_read": "Opened the schedule",
    "audit.unusual_reading": "Opened unusually many records",
    "calendar_feed.fetched": "A calendar program fetched the schedule",
    "chart.entries_recorded": "Added entries to the chart",
    "chart.retracted": "Retracted a chart entry",
    "delivery.retried": "Sent an event again",
    "consultation.alert_cleared": "A measurement became normal again",
    "consultation.alert_raised": "A measurement raised an alert",
    "consultation.amended": "Added an addendum to a visit",
    "consultation.completed": "Signed a visit",
    "consultation.handed_over": "Passed a visit to another doctor",
    "consultation.held": "Paused a visit",
    "consultation.ready": "Marked a visit as ready for the doctor",
    "consultation.resumed": "Resumed a visit",
    "consultation.step_saved": "Saved a step of a visit",
    "consultation.taken_over": "Imported visits",
    "mfa.begun": "Began to set up two-step sign-in",
    "mfa.disabled": "Switched two-step sign-in off",
    "mfa.enabled": "Switched two-step sign-in on",
    "mfa.recovery_code_used": "Signed in with a recovery code",
    "mfa.recovery_codes_renewed": "Made new recovery codes",
    "notification.all_read": "Marked all notifications as read",
    "notification.read": "Marked a notification as read",
    "notification.sent": "Sent a message to staff",
    "page.refused": "Was refused a page",
    "password.help_asked": "Asked for help with a password",
    "password.reset_asked": "Asked for a new password",
    "patient.access_log_read": "Looked at who opened the patient’s record",
    "patient.asked_for": "Opened the emergency access to the record",
    "patient.care_team_joined": "Joined the care team",
    "patient.care_team_left": "Left the care team",
    "patient.deactivated": "Deactivated the patient’s record",
    "patient.duplicates_suspected": "Found possible duplicates",
    "patient.glass_broken": "Opened the record in an emergency",
    "patient.glass_reviewed": "Reviewed an emergency access",
    "patient.matched": "Compared the patient with existing records",
    "patient.merge_previewed": "Compared two records before a merge",
    "patient.merge_requested": "Asked for a merge of two records",
    "patient.merge_triage_settled": "Sorted an entry after a merge",
    "patient.merge_undone": "Undid a merge of records",
    "patient.merged": "Merged two records",
    "patient.reactivated": "Reactivated the patient’s record",
    "patient.registered": "Registered the patient",
    "patient.restricted": "Restricted the record",
    "patient.restriction_lifted": "Opened a restricted record to all staff",
    "patient.searched": "Searched for patients",
    "patient.told_apart": "Marked two records as different people",
    "patient.transferred_in": "Imported the patient’s record",
    "retention.purged": "Deleted what had passed its retention period",
    "sandbox.reset": "Reset the sample data",
    "schedule.calendar_feed_made": "Made a calendar feed",
    "schedule.calendar_feed_revoked": "Revoked a calendar feed",
    "schedule.move_planned": "Planned a cover for absence",
    "schedule.move_read": "Opened a cover for absence",
    "schedule.time_off_added": "Added time off",
    "schedule.time_off_removed": "Removed time off",
    "schedule.visits_moved": "Moved the appointments of an absent doctor",
    "schedule.visits_put_back": "Moved appointments of an absent doctor back",
    "session.ended": "Signed out",
    "session.new_place": "Signed in from a new place",
    "session.reauthenticated": "Entered the password again",
    "session.refused": "Failed to sign in",
    "session.started": "Signed in",
    "staff.deactivated": "Deactivated a staff account",
    "staff.email_changed": "Changed the e-mail address of an account",
    "staff.hired": "Made a staff account",
    "staff.invited": "Invited a member of staff",
    "staff.reactivated": "Reactivated a staff account",
    "trail.verified": "Verified the audit log",
    "waitlist.added": "Put the patient on the waiting list",
    "waitlist.expired": "The last day on the waiting list passed",
    "waitlist.offer_settled": "An offer of the waiting list ended",
    "waitlist.offered": "Offered a freed time",
    "waitlist.withdrawn": "Took the patient off the waiting list",
}
_REPLAYED = "replayed"


def known_words(action: str) -> str:
    """Returns the words of an action; empty if it has none."""
    thing, _, verb = action.partition(".")
    if verb == _REPLAYED:
        return "Sent the same request again"
    if action in WORDS:
        return WORDS[action]
    if thing not in OBJECTS or verb not in VERBS:
        return ""
    return VERBS[verb].format(LISTS.get(thing, OBJECTS[thing]) if verb in _OF_LISTS else OBJECTS[thing])


def words(action: str) -> str:
    """Returns the action in words; an action of an older version that has none as it is stored."""
    return known_words(action) or action


def actions_with(text: str) -> list[str]:
    """Returns the actions whose words contain the text."""
    composed = [f"{thing}.{verb}" for thing in OBJECTS for verb in VERBS]
    return [action for action in dict.fromkeys([*WORDS, *composed]) if text.casefold() in known_words(action).casefold()]
