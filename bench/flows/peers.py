"""What people would pick instead, each as its own documentation sets it up: BENCH_PEER
says which. Django's own defaults, and its own pool of database connections, as large as
ours."""

import os
from typing import Any
from urllib.parse import urlsplit

from .people import HOST

PEER = os.environ["BENCH_PEER"]
OPERATOR = os.environ["BENCH_OPERATOR"] + "/one"
SECRET_KEY = "bench-only-" * 6
ALLOWED_HOSTS = [HOST]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
USE_TZ = True
ROOT_URLCONF = "bench.flows.peers_urls"
LOGIN_REDIRECT_URL = LOGIN_URL = "/profile/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
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
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
_url = urlsplit(os.environ["DATABASE_URL"])
_pool_size = int(os.environ["DATABASE_POOL_SIZE"])
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": os.environ["BENCH_ENGINE"],
        "NAME": _url.path[1:],
        "USER": _url.username,
        "PASSWORD": _url.password,
        "HOST": _url.hostname,
        "PORT": _url.port,
        "OPTIONS": {
            "pool": {"min_size": 2, "max_size": _pool_size, "timeout": 3},
        },
    }
}
CLIENT_ID, CLIENT_SECRET = "bench", "bench-secret"
if PEER == "bare":
    INSTALLED_APPS.append("bench.flows.bare")
elif PEER == "allauth":
    INSTALLED_APPS += [
        "allauth",
        "allauth.account",
        "allauth.socialaccount",
        "allauth.socialaccount.providers.openid_connect",
    ]
    MIDDLEWARE.append("allauth.account.middleware.AccountMiddleware")
    AUTHENTICATION_BACKENDS.append(
        "allauth.account.auth_backends.AuthenticationBackend"
    )
    ACCOUNT_EMAIL_VERIFICATION = "none"
    SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {
            "APPS": [
                {
                    "provider_id": "bench",
                    "name": "Bench",
                    "client_id": CLIENT_ID,
                    "secret": CLIENT_SECRET,
                    "settings": {"server_url": OPERATOR},
                }
            ]
        }
    }
else:
    INSTALLED_APPS.append("mozilla_django_oidc")
    AUTHENTICATION_BACKENDS.append("mozilla_django_oidc.auth.OIDCAuthenticationBackend")
    OIDC_RP_CLIENT_ID, OIDC_RP_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
    OIDC_OP_AUTHORIZATION_ENDPOINT = f"{OPERATOR}/authorize"
    OIDC_OP_TOKEN_ENDPOINT = f"{OPERATOR}/token"
    OIDC_OP_USER_ENDPOINT = f"{OPERATOR}/userinfo"
    OIDC_RP_SIGN_ALGO = "RS256"
    # Given, so that it does not fetch the keys at each login.
    OIDC_RP_IDP_SIGN_KEY = os.environ["BENCH_PUBLIC_KEY"]
    # Read only from here: a request of its own to the operator otherwise.
    OIDC_CREATE_USER = False
