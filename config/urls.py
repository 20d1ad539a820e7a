from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from accounts import views as accounts
from accounts.language_views import language_page
from numberverify.privacy_views import notice_page

# The history's table needs the width; the breadcrumbs lead everywhere.
admin.site.enable_nav_sidebar = False
handler400 = "config.errors.bad_request"
handler500 = "config.health.server_error"

urlpatterns = [
    path("", accounts.home, name="home"),
    path("language/", language_page, name="language"),
    path("accounts/", include("accounts.urls")),
    path("verify/", include("numberverify.urls")),
    path("privacy/", notice_page, name="privacy"),
    # Staff come in, go out and change their passwords by the same doors as everybody.
    path("admin/login/", accounts.admin_login),
    path("admin/logout/", accounts.logout_page),
    path(
        "admin/password_change/",
        RedirectView.as_view(pattern_name="accounts:password-change"),
    ),
    path("admin/", admin.site.urls),
]
if settings.NV_SANDBOX:
    from config.send_money import send_money  # its row stands in the table only then

    urlpatterns.append(path("sandbox/send-money/", send_money, name="send-money"))
    urlpatterns.append(path("sandbox/", include("numberverify.sandbox.urls")))
