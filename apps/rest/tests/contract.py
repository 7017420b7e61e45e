"""What the HTTP kit contributes to the tests of the whole: the operations that need no sign-in."""

PUBLIC = {"GET /version"}
