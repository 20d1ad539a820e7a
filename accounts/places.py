"""Which browser and where, in words, without asking anybody on the internet."""

from datetime import date, datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django_countries import countries
from iptocc import country_code
from ua_parser import parse

# What ua-parser calls them, and what people do.
OTHER_NAMES = {
    "Mobile Safari": "Safari",
    "HeadlessChrome": "Chrome",
    "Edge": "Microsoft Edge",
    "Mac OS X": "macOS",
    "Chrome OS": "ChromeOS",
}
ON_A_PHONE = (" Mobile iOS", " Mobile WebView", " Mobile", " iOS")


def country_of(ip: str | None) -> str:
    """Return the two letters of the country that an address was handed out to by its
    registry, "" where nobody can say: private addresses, for one."""
    return (country_code(ip) if ip else None) or ""


def place(country: str) -> str:
    """Name the country that an address belongs to."""
    return str(countries.name(country)) or _("place not known")


def browser_in_words(user_agent: str) -> str:
    """Say which browser it is, as far as it tells: "Firefox on Android"."""
    found = parse(user_agent)
    browser = _named(found.user_agent.family) if found.user_agent else ""
    system = _named(found.os.family) if found.os else ""
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    if system:
        return _("Unknown browser on %(system)s") % {"system": system}
    return browser or _("Unknown browser")


def _named(family: str) -> str:
    for ending in ON_A_PHONE:
        family = family.removesuffix(ending)
    return OTHER_NAMES.get(family, family)


def when(moment: datetime) -> str:
    """Say when it was, in UTC: "today, 14:32", or with the date."""
    moment = moment.astimezone(timezone.get_current_timezone())
    time = date_format(moment, "H:i")
    return f"{_day(moment.date())}, {time}"


def _day(day: date) -> str:
    ago = (timezone.localdate() - day).days
    if ago in (0, 1):
        return _("yesterday") if ago else _("today")
    return date_format(day, _("j F Y"))
