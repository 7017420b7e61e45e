"""Notifications and mail to users and patients.

Owns the message (one row), the copy of each recipient (one thin row, read or unread), and sending mail. Listens to the events of
the floors below, which never call it. Emits that a notification was sent and read.
"""
