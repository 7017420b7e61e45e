"""What developers contributes to the tests of the whole: the operations that need no sign-in."""

PUBLIC = {"GET /openapi.json", "GET /openapi.yaml"}
