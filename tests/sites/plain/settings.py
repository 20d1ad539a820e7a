"""A site with Django's own users and none of our accounts: what numberverify needs."""

import os
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent.parent

SECRET_KEY = "plain-site"
ALLOWED_HOSTS = ["testserver", "127.0.0.1"]
USE_TZ = True
SITE_URL = os.environ.get("SITE_URL", "http://testserver")
ROOT_URLCONF = "tests.sites.plain.urls"
LOGIN_URL = "/admin/login/"
SESSION_COOKIE_SECURE = False
INSTALLED_APPS = [
    "numberverify",
    "tests.sites.plain",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "numberverify.middleware.LimitsMiddleware",
    "numberverify.middleware.RefusedMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # The site's base.html; numberverify's own pages extend it.
        "DIRS": [HERE / "templates", ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("PLAIN_DATABASE", ":memory:"),
    }
}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

NV_NUMBER_OF = "tests.sites.plain.views.number_of"
NV_FINGERPRINT_KEYS = ["plain"]
NV_STEP_UP = {
    "open_safe": {"label": "open the safe"},
    "read_diary": {"label": "read the diary", "serves": "age", "max_age": 900},
    "send_letter": {"label": "send this letter", "methods": ["network", "sms"]},
}
SMS_BACKEND = "numberverify.factors.sms.MemoryBackend"
NV_OPERATORS = {
    "fake": {
        "dialect": "mobile-connect",
        "base_url": os.environ.get("PLAIN_OPERATOR", "https://operator.example"),
        "client_id": "id of ours",
        "client_secret": "secret",
    }
}
