"""Schedules, rooms, free times, appointments, the queue and the waitlist.

Exclusion constraints in the database prevent a double booking: no two live appointments of one doctor, one patient or one room
overlap. The app announces appointments that were created or updated, changed schedules, time off that was added or removed, and
entries and offers of the waitlist.
"""
