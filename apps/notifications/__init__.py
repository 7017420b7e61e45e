"""Notifications and mail: what the house tells its people.

Owns the message (one row) and the copy each recipient has of it (one thin row a person, read or not), and the way a mail leaves
the house. Listens to the facts of the floors below; they never call it. Announces that a notification was sent and read.
"""
