"""The sandbox operator, as the site knows it: two dialects, two operators."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from joserfc.jwk import ECKey

Tables = dict[str, dict[str, Any]]
SECRET = "sandbox: secret+100%"  # noqa: S105  breaks where it is not form-encoded first


def sandbox(at: str, secret_key: str, *, of: str = "") -> tuple[Tables, Tables]:
    """Return the clients that are registered with it, and the operators' tables.

    It runs at the site `at`, and is the operator of the site `of`, or of itself.
    """
    # Derived, so that all processes of the site have the same one and no file keeps it.
    key = ECKey.derive_key(secret_key, parameters={"use": "sig"}, auto_kid=True)
    back = f"{of or at}/verify/callback"
    clients: Tables = {
        "sandbox-client": {"secret": SECRET, "redirect_uris": [f"{back}/sandbox/"]},
        "sandbox-camara-client": {
            "jwks": {"keys": [key.as_dict(private=False)]},
            "redirect_uris": [f"{back}/sandbox-camara/"],
        },
    }
    private_key = key.as_pem(private=True).decode()
    return clients, {
        "sandbox": _mobile_connect(f"{at}/sandbox/mobile-connect"),
        "sandbox-camara": _camara(f"{at}/sandbox/camara", private_key),
    }


def _mobile_connect(base_url: str) -> dict[str, Any]:
    return {
        "dialect": "mobile-connect",
        "label": _("the sandbox network"),
        "base_url": base_url,
        "jwks_uri": f"{base_url}/jwks",
        "client_id": "sandbox-client",
        "client_secret": SECRET,
        # Where Vodafone sells Number Verify, so that "no operator" can be seen too.
        "countries": ["AL", "DE", "ES", "GB", "GR", "IE", "IT", "NL", "PT", "RO"],
        "test": True,
    }


def _camara(issuer: str, private_key: str) -> dict[str, Any]:
    return {
        "dialect": "camara",
        "label": _("the sandbox's other network"),
        "issuer": issuer,
        "base_url": f"{issuer}/number-verification/v2",
        "client_id": "sandbox-camara-client",
        "client_auth": "private_key_jwt",
        "private_key": private_key,
        "one_time_password_sms_url": f"{issuer}/one-time-password-sms/v1",
        "sim_swap_url": f"{issuer}/sim-swap/v2",
        "number_recycling_url": f"{issuer}/number-recycling/v0.2",
        # Both serve Germany, so that the person is asked which network it is.
        "countries": ["DE", "SE"],
        "test": True,
    }
