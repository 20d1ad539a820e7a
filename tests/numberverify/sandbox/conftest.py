import pytest

from tests.numberverify.sandbox import wire


@pytest.fixture(autouse=True)
def operator(settings):
    """An operator with two clients, which share its cache with nobody."""
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "LOCATION": "sandbox-tests",
            "OPTIONS": {"MAX_ENTRIES": 10_000},
        }
    }
    settings.SANDBOX_SLOW_SECONDS = 0
    settings.SANDBOX_CLIENTS = {
        wire.SHOP: {"secret": wire.SECRET, "redirect_uris": [wire.BACK]},
        wire.BANK: {
            "secret": "bank-secret",
            "redirect_uris": ["https://bank.example/back?from=operator", wire.BACK],
        },
    }
