"""The site's own settings with the sandbox on, for Django's test client."""

import os

os.environ["DEBUG"] = "1"
os.environ.pop("SITE_URL", None)
os.environ.setdefault("EMAIL_URL", "memorymail://")
for name in ("NV_CLIENT_ID", "NV_CLIENT_SECRET", "NV_API_HOST", "NV_OPERATORS_FILE"):
    os.environ.pop(name, None)
os.environ["SMS_BACKEND"] = "memory"

from config.settings import *  # noqa: E402, F403
from config.settings import (  # noqa: E402
    BASE_DIR,
    CACHE_IS_SHARED,
    CACHES,
    DATABASES,
)

if CACHE_IS_SHARED:  # processes of one run share the Redis, and not its keys
    CACHES["default"]["KEY_PREFIX"] = f"nv-tests-{os.getpid()}-"
SITE_URL = "http://testserver"
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
# A file: threads that race must see one database, not one each in memory.
# Nobody needs it after a power failure, so that no commit waits for the disk.
_options = DATABASES["default"]["OPTIONS"]
if "sqlite" in DATABASES["default"]["ENGINE"]:
    DATABASES["default"]["TEST"] = {"NAME": str(BASE_DIR / "test.sqlite3")}
    _options["init_command"] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
else:
    _options["options"] = "-c synchronous_commit=off"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
