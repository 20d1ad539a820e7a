"""The site, and the login page behind its password: a hash costs as much as three
verifications and is the same for everybody."""

from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts import login
from accounts.models import User
from accounts.pages import form_page, next_of
from accounts.signin import has_proved, known_browser
from config.urls import urlpatterns as of_the_site
from numberverify.browser import SeeOther, bind, browser_of, leaves_for_operator, way_of


@never_cache
@leaves_for_operator
@form_page
@require_POST
def start(request: HttpRequest) -> HttpResponse:
    """As `login_page` goes on once the password is right."""
    user = User.objects.get_by_natural_key(request.POST["username"])
    device = known_browser(request, user)
    browser = replace(browser_of(request), is_known=has_proved(device))
    url = login.begin(
        user,
        browser=browser,
        device=device,
        next=next_of(request),
        way=way_of(request),
    )
    assert url is not None  # noqa: S101  the policy is `always`
    return bind(SeeOther(url), browser)


urlpatterns = [path("bench/start/", start), *of_the_site]
