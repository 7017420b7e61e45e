"""Password hashing: Argon2id with OWASP's minimum (19 MiB, two passes, one lane), about 23 ms of CPU here."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2id(Argon2PasswordHasher):
    """What every installation uses. The dominating cost of a sign-in, therefore set here and measured."""

    time_cost = 2
    memory_cost = 19_456  # KiB
    parallelism = 1


class CheapArgon2id(Argon2PasswordHasher):
    """For tests, where hundreds of people are hired a minute."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1
