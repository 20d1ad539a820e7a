"""Settings, all read from the environment; `.env` fills in what is not set there.

docs/reference/settings.md lists every variable. A missing or wrong one raises
ImproperlyConfigured here, so that the server refuses to start and names it.
"""

import re
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from phonenumbers import SUPPORTED_REGIONS

from config.environment import (
    backend,
    count,
    demanded,
    duration,
    duration_or_never,
    flag,
    hosts,
    mailbox,
    names,
    networks,
    one_of,
    origin,
    origins,
    positive,
    read,
    seconds,
    sms_backend,
    text,
)
from config.operators import operators
from config.sandbox import sandbox
from config.step_up import STEP_UP
from config.stores import cache, database, is_shared
from numberverify.errors import ConfigurationError
from numberverify.policy import HANDS_OVER
from numberverify.rates import read as read_limits

BASE_DIR = Path(__file__).resolve().parent.parent
if (BASE_DIR / ".env").exists():
    environ.Env.read_env(str(BASE_DIR / ".env"))

# The site

DEBUG = read("DEBUG", flag)
SECRET_KEY = demanded("SECRET_KEY", "for-development-only-" * 3 if DEBUG else "")
# Keys that were: what they signed stays good while they stand here.
SECRET_KEY_FALLBACKS = names(text("SECRET_KEY_FALLBACKS"))
SITE_URL = read("SITE_URL", origin, "http://127.0.0.1:8000")
HTTPS = SITE_URL.startswith("https:")
if DEBUG and HTTPS:
    raise ImproperlyConfigured("DEBUG cannot be on with an https SITE_URL")
_host = re.sub(r":\d+$", "", SITE_URL.partition("://")[2])
LOOPBACK_NAMES = ["127.0.0.1", "localhost", "[::1]"]
ALLOWED_HOSTS = read("ALLOWED_HOSTS", hosts) or (
    LOOPBACK_NAMES if _host in LOOPBACK_NAMES else [_host]
)
CSRF_TRUSTED_ORIGINS = read("CSRF_TRUSTED_ORIGINS", origins) or [SITE_URL]
TRUSTED_PROXY_COUNT = read("TRUSTED_PROXY_COUNT", count, "0")
METRICS_FROM = read("METRICS_FROM", networks, "127.0.0.0/8, ::1")

INSTALLED_APPS = [
    "django.contrib.auth",  # ready before `accounts`, which takes a receiver from it
    "accounts",
    "numberverify",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django.contrib.admin",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_countries",
]
MIDDLEWARE = [
    "numberverify.middleware.CorrelationMiddleware",
    "config.health.HealthMiddleware",
    "numberverify.scrape.MetricsMiddleware",
    "numberverify.middleware.HandoffMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.PolicyMiddleware",
    "config.middleware.CanonicalHostMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.languages.LanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.middleware.SessionMiddleware",
    "numberverify.middleware.LimitsMiddleware",
    "numberverify.middleware.RefusedMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
_context_processors = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
    "accounts.languages.chooser",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": _context_processors},
    }
]
# The cookie alone: a message for somebody anonymous must not open a session.
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"

# Data

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": database(f"sqlite:///{BASE_DIR}/db.sqlite3")}
CACHES = {"default": cache(is_for_one_process=DEBUG)}
CACHE_IS_SHARED = is_shared(CACHES["default"])

# People

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "accounts:profile"
LOGOUT_REDIRECT_URL = "/"
PASSWORD_RESET_TIMEOUT = 60 * 60
# Both keep sessions in the database; with a Redis they are read through it.
SESSION_ENGINE = f"accounts.{'cached_sessions' if CACHE_IS_SHARED else 'session_store'}"
# How long a session lives: since its last request, and since its login.
NV_STAFF_IDLE = read("NV_STAFF_IDLE", duration, "1h")
NV_STAFF_ABSOLUTE = read("NV_STAFF_ABSOLUTE", duration, "24h")
NV_PEOPLE_IDLE = read("NV_PEOPLE_IDLE", duration, "14d")
NV_PEOPLE_ABSOLUTE = read("NV_PEOPLE_ABSOLUTE", duration_or_never, "never")
if NV_STAFF_IDLE > NV_STAFF_ABSOLUTE:
    raise ImproperlyConfigured("NV_STAFF_IDLE is longer than NV_STAFF_ABSOLUTE")
if NV_PEOPLE_ABSOLUTE and NV_PEOPLE_IDLE > NV_PEOPLE_ABSOLUTE:
    raise ImproperlyConfigured("NV_PEOPLE_IDLE is longer than NV_PEOPLE_ABSOLUTE")
# A session says itself when its cookie ends; this is for one that does not say.
SESSION_COOKIE_AGE = int(NV_PEOPLE_IDLE.total_seconds())
PASSWORD_HASHERS = [
    "accounts.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
_validators = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_validators}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_validators}.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": f"{_validators}.CommonPasswordValidator"},
    {"NAME": f"{_validators}.NumericPasswordValidator"},
]
_email = read(
    "EMAIL_URL",
    backend(environ.Env.email_url_config, "EMAIL_BACKEND"),
    "consolemail://",
)
EMAIL_BACKEND = _email["EMAIL_BACKEND"]
EMAIL_HOST = _email.get("EMAIL_HOST") or "localhost"
EMAIL_PORT = _email.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = _email.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = _email.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = _email.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _email.get("EMAIL_USE_SSL", False)
# django-environ drops the first slash of filemail:///var/mail.
EMAIL_FILE_PATH = "/" + (_email.get("EMAIL_FILE_PATH") or "").lstrip("/")
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = read("DEFAULT_FROM_EMAIL", mailbox, f"no-reply@{_host}")

# Number Verify

_development_key = "fingerprints-in-development" if DEBUG else ""
NV_FINGERPRINT_KEYS = [
    key.strip() for key in demanded("NV_FINGERPRINT_KEYS", _development_key).split(",")
]
if len(set(NV_FINGERPRINT_KEYS) - {""}) < len(NV_FINGERPRINT_KEYS):
    raise ImproperlyConfigured("NV_FINGERPRINT_KEYS holds an empty or a doubled key")
NV_DEFAULT_REGION = read("NV_DEFAULT_REGION", one_of(*SUPPORTED_REGIONS), "GB")
NV_LOGIN_POLICY = read(
    "NV_LOGIN_POLICY",
    one_of("always", "new_device_or_stale", "never"),
    "new_device_or_stale",
)
NV_LOGIN_MAX_AGE_DAYS = read("NV_LOGIN_MAX_AGE_DAYS", count, "30")
NV_LIMITS = text("NV_LIMITS")
try:
    if read_limits(NV_LIMITS) is None and not DEBUG:
        raise ImproperlyConfigured("NV_LIMITS cannot be off when DEBUG is off")
except ConfigurationError as error:
    raise ImproperlyConfigured(f"NV_LIMITS: {error}") from None
NV_SIM_SWAP_HOURS = read("NV_SIM_SWAP_HOURS", count, "72")
NV_RETENTION_DAYS = read("NV_RETENTION_DAYS", count, "730")
NV_EXPORT_SECONDS = read("NV_EXPORT_SECONDS", positive, "300")
# What a SIM that has matched may do to a number that another account has.
NV_TAKEOVER = read("NV_TAKEOVER", one_of("refuse", "challenge", "recycled"), "refuse")
# In text messages and authenticator apps.
NV_SITE_NAME = text("NV_SITE_NAME", "Number Verify")
NV_HANDOFF = names(text("NV_HANDOFF", ",".join(HANDS_OVER)))
NV_WHO_ASKS = "accounts.asking.who_asks"
NV_NUMBER_OF = "accounts.phone.number_of"
NV_OPERATOR_OF = "accounts.phone.operator_of"
NV_REMEMBER_OPERATOR = "accounts.phone.remember_operator"
NV_ADD_NUMBER_URL = "accounts:phone"
NV_NUMBER_HISTORY_URL = "admin:accounts_numberevent_number"
NV_UNFREEZE_URL = "accounts:password-reset"
NV_KNOWS_BROWSER = "accounts.signin.knows_browser"
NV_LANGUAGE_OF = "accounts.signin.language_on_file"
NV_PROOF_STAMP = "accounts.models.proof_stamp"
NV_TELL = "accounts.watch.hear"
NV_DATA_OF = "accounts.personal.data_of"
NV_FINGERPRINTS_OF = "accounts.numbers.marks_of_person"
NV_FORGET = "accounts.forgetting.forget"
NV_HOUSEKEEPING = [
    "accounts.models.purge_pending",
    "accounts.models.purge_browsers",
    "accounts.notice.purge_notices",
    "accounts.sessions.purge_sessions",
    "accounts.claims.move_due",
    "accounts.releases.expire_releases",
]
NV_STEP_UP = dict(STEP_UP)
SMS_BACKEND = read("SMS_BACKEND", sms_backend, "console" if DEBUG else "")
SMS_FILE_PATH = text("SMS_FILE_PATH")
if SMS_BACKEND.endswith(".FileBackend") and not SMS_FILE_PATH:
    raise ImproperlyConfigured("SMS_FILE_PATH must say where the messages go")


NV_OPERATORS = operators(BASE_DIR)

# The sandbox: a real operator of its own, which the client reaches over HTTP

NV_SANDBOX = read("NV_SANDBOX", flag, "on" if DEBUG and not NV_OPERATORS else "off")
if NV_SANDBOX and not DEBUG:
    raise ImproperlyConfigured("NV_SANDBOX cannot be on when DEBUG is off")
if NV_SANDBOX:
    NV_STEP_UP["send_money"] = {"label": _("send this money")}
    _for = read("NV_SANDBOX_FOR", origin, SITE_URL)
    SANDBOX_CLIENTS, _sandbox_operators = sandbox(SITE_URL, SECRET_KEY, of=_for)
    SANDBOX_SITE = "" if _for == SITE_URL else _for
    for _name in _sandbox_operators:
        if _name in NV_OPERATORS:
            message = f"NV_SANDBOX: an operator is already named {_name!r}"
            raise ImproperlyConfigured(message)
    NV_OPERATORS |= _sandbox_operators
    INSTALLED_APPS.insert(0, "numberverify.sandbox")  # its runserver is the one
    _context_processors.append("numberverify.sandbox.context_processors.handset")

# Security

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_NAME = "__Host-sessionid" if HTTPS else "sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken" if HTTPS else "csrftoken"
CSRF_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = HTTPS
_hsts = read("HSTS_SECONDS", seconds, "31536000")
SECURE_HSTS_SECONDS = _hsts if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
if TRUSTED_PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Not "no-referrer": Chromium would send "Origin: null" and CSRF refuse the form.
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
    }
}

# Words, files, logs

LANGUAGE_CODE = "en-gb"
# Each named in itself: whoever looks for it may read no other.
LANGUAGES = [("en-gb", "English"), ("de", "Deutsch")]
LANGUAGE_COOKIE_NAME = "__Host-nv_language" if HTTPS else "nv_language"
LANGUAGE_COOKIE_AGE = 400 * 24 * 60 * 60  # no browser keeps one for longer
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
_manifest = "config.static.HashedFiles"
_plain = "django.contrib.staticfiles.storage.StaticFilesStorage"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": _plain if DEBUG else _manifest},
}
LOG_FORMAT = read("LOG_FORMAT", one_of("text", "json"), "text" if DEBUG else "json")
if LOG_FORMAT == "text" and not DEBUG:
    # It prints what an error says, which may quote a number (config/logs.py).
    raise ImproperlyConfigured("LOG_FORMAT cannot be text when DEBUG is off")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"redact": {"()": "config.logs.Redact"}},
    "formatters": {
        "text": {"format": "{asctime} {levelname} {name} {message}", "style": "{"},
        "json": {"()": "config.logs.JsonLines"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "filters": ["redact"],
            "formatter": LOG_FORMAT,
        }
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    # Django gives these handlers of their own, which would print unredacted lines.
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
    },
}
