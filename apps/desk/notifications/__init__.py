"""The pages of the own notifications, the link with the unread count on every page, and the notices of administrators."""
