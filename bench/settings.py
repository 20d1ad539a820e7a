"""The site as in production, but for an operator that answers at once and no limits.

`DATABASE_URL` says where the databases of the benchmarks are made beside it.
"""

import os

DEFAULTS = {
    "DEBUG": "0",
    "SECRET_KEY": "bench-only-" * 6,
    "NV_FINGERPRINT_KEYS": "bench-only-" * 4,
    "SITE_URL": "http://bench.example",
    "CACHE_URL": "redis://nobody.example",  # demanded; what is used stands below
    "EMAIL_URL": "memorymail://",
}
os.environ.update(DEFAULTS)
for name in [
    "NV_API_HOST",
    "NV_CLIENT_ID",
    "NV_CLIENT_SECRET",
    "NV_OPERATORS_FILE",
    "SMS_BACKEND",
]:
    os.environ.pop(name, None)

from config.settings import *  # noqa: E402, F403

ROOT_URLCONF = "bench.urls"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
SESSION_ENGINE = "accounts.session_store"
NV_LIMITS = "off"  # or the first of them would end the measuring
NV_OPERATORS = {
    name: {
        "dialect": "mobile-connect",
        "label": label,
        "base_url": f"https://{name}.example",
        "client_id": "bench",
        "client_secret": "bench",
        "countries": [country],
    }
    for name, label, country in [
        ("vodafone-uk", "Vodafone UK", "GB"),
        ("orange-fr", "Orange", "FR"),
        ("tele-se", "Tele", "SE"),
    ]
}
LOGGING = {"version": 1, "disable_existing_loggers": True}
