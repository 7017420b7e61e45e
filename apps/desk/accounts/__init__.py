"""The admin pages for users who sign in: staff, doctors, sessions, API keys; sign-in and account security."""
