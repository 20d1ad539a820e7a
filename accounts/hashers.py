from django.contrib.auth import hashers


class Argon2PasswordHasher(hashers.Argon2PasswordHasher):
    """Argon2id at OWASP's parameters; Django's cost ten times the time and memory."""

    time_cost = 2
    memory_cost = 19456  # KiB
    parallelism = 1
