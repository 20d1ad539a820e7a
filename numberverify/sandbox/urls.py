from django.urls import include, path

from numberverify.sandbox import jwks, views
from numberverify.sandbox.camara.operator_tokens import operator_token
from numberverify.sandbox.mobile_connect import authorize, match, token

app_name = "sandbox"

BASE = "mobile-connect"
AUTHORIZE = f"{BASE}/deviceinitiated/v1/authorize"

urlpatterns = [
    path("", views.home, name="home"),
    path("handset/", views.handset_page, name="handset"),
    path(
        "handset/operator-token/",
        operator_token,
        name="operator-token",
    ),
    path("camara/", include("numberverify.sandbox.camara.urls")),
    path(AUTHORIZE, authorize.authorize, name="authorize"),
    path(f"{AUTHORIZE}/network/<ticket>", authorize.network_hop, name="network-hop"),
    path(f"{AUTHORIZE}/login/<ticket>", authorize.login_hop, name="login-hop"),
    path(f"{BASE}/deviceinitiated/v1/token", token.token, name="token"),
    path(f"{BASE}/premiuminfo/v1/", match.match, name="match"),
    path(f"{BASE}/jwks", jwks.jwks, name="jwks"),
]
