"""Password hashing: Argon2id with OWASP's minimum (19 MiB, two passes, one lane), about 23 ms of CPU here."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2id(Argon2PasswordHasher):
    """The hasher of every installation. It dominates the cost of a sign-in, therefore it is set here and measured."""

    time_cost = 2
    memory_cost = 19_456  # KiB
    parallelism = 1


class CheapArgon2id(Argon2PasswordHasher):
    """For tests, which create hundreds of users a minute."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1
