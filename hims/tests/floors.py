"""The floors of the house: an app uses only floors below its own. A new app gets its line here, or the tests fail."""

FLOOR = {
    "common": 0,
    "access": 1,
    "events": 1,
    "terminology": 1,
    "audit": 2,
    "rest": 3,
    "accounts": 4,
    "patients": 5,
    "appointments": 6,
    "notifications": 10,
    "developers": 11,
    "sandbox": 11,
}
