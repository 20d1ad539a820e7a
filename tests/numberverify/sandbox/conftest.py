import pytest
from django.core.cache import cache

from tests.numberverify.sandbox import camara_wire, wire


@pytest.fixture(autouse=True)
def operator(settings):
    """An operator with clients of both dialects; its cache is shared with nobody."""
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "LOCATION": "sandbox-tests",
            "OPTIONS": {"MAX_ENTRIES": 10_000},
        }
    }
    cache.clear()
    settings.SANDBOX_SLOW_SECONDS = 0
    settings.SANDBOX_CLIENTS = {
        wire.SHOP: {"secret": wire.SECRET, "redirect_uris": [wire.BACK]},
        wire.BANK: {
            "secret": "bank-secret",
            "redirect_uris": ["https://bank.example/back?from=operator", wire.BACK],
        },
        **camara_wire.CLIENTS,
    }
