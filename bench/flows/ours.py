"""The site as in production: all middleware, limits in Redis, records and notices.

Behind a proxy and https, as docs/deploy.md has it. Nobody's browser is trusted for
longer than a login, so that each login is a whole verification.
"""

import os

import certifi

from .people import HOST

os.environ |= {
    "DEBUG": "0",
    "SECRET_KEY": "bench-only-" * 6,
    "NV_FINGERPRINT_KEYS": "bench-only-" * 4,
    "SITE_URL": f"https://{HOST}",
    "TRUSTED_PROXY_COUNT": "1",
    "EMAIL_URL": "dummymail://",
    "NV_LOGIN_POLICY": "always",
    "NV_LIMITS": "",
}
for name in ("NV_API_HOST", "NV_CLIENT_ID", "NV_CLIENT_SECRET", "NV_OPERATORS_FILE"):
    os.environ.pop(name, None)

from config.settings import *  # noqa: E402, F403

_vouching = os.environ.get("REQUESTS_CA_BUNDLE", "")
if _vouching:
    # The machine's list. An operator's session takes nothing from the environment.
    certifi.where = lambda: _vouching
ROOT_URLCONF = "bench.flows.ours_urls"
_operator = os.environ["BENCH_OPERATOR"]
NV_OPERATORS = {
    name: {
        "dialect": "mobile-connect",
        "label": name,
        "base_url": f"{_operator}/{name}",
        "jwks_uri": f"{_operator}/{name}/jwks",
        "client_id": "bench",
        "client_secret": "bench-secret",
        "countries": [country],
    }
    for name, country in [("one", "GB"), ("two", "FR")]
}
