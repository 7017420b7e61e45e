"""The diary: schedules, rooms, slots, bookings, the waiting room and the waitlist.

Nobody is booked twice: exclusion constraints keep two live visits of one doctor, one patient or one room apart, whoever writes
them. It announces: appointment created and updated, schedule changed, time off added and removed,
waitlist entries and offers.
"""
