"""The staff pages of appointments: list, booking, series, the schedule of a day or week, the queue, the waitlist, rooms, doctors'
weeks, time off and bulk reschedules."""
