from django.urls import path

from numberverify.sandbox import jwks
from numberverify.sandbox.camara import (
    authorize,
    identity,
    number_verification,
    one_time_password,
    siblings,
    token,
)

VERIFICATION = "number-verification/v2"
PASSWORDS = "one-time-password-sms/v1"

urlpatterns = [
    path(
        ".well-known/openid-configuration",
        identity.configuration,
        name="camara-configuration",
    ),
    path("jwks", jwks.jwks, name="camara-jwks"),
    path("authorize", authorize.authorize, name="camara-authorize"),
    path(
        "authorize/network/<ticket>",
        authorize.network_hop,
        name="camara-network-hop",
    ),
    path("authorize/login/<ticket>", authorize.login_hop, name="camara-login-hop"),
    path("token", token.token, name="camara-token"),
    path(f"{VERIFICATION}/verify", number_verification.verify),
    path(f"{VERIFICATION}/device-phone-number", number_verification.share),
    path("sim-swap/v2/check", siblings.sim_swap),
    path("number-recycling/v0.2/check", siblings.recycling),
    path(f"{PASSWORDS}/send-code", one_time_password.send_code),
    path(f"{PASSWORDS}/validate-code", one_time_password.validate_code),
]
