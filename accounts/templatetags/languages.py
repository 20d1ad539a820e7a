from typing import Any

from django import template
from django.conf import settings
from django.template import Context
from django.utils import translation

register = template.Library()


@register.inclusion_tag("language.html", takes_context=True)
def language_chooser(context: Context) -> dict[str, Any]:
    """The languages, each named in itself. Without a request, as some pages of errors
    are written, there is no form to send, and none is shown."""
    request = context.get("request")
    if request is None:
        return {}
    return {
        "languages": settings.LANGUAGES,
        "current": translation.get_language(),
        "back": _back(request),
        "csrf_token": context.get("csrf_token"),
    }


def _back(request: Any) -> str:
    """Return the page to come back to: what answered a POST may be at an address that
    takes no other, and the query of an operator's redirect is used up."""
    if request.method not in ("GET", "HEAD"):
        return str(request.META.get("HTTP_REFERER", ""))
    match = request.resolver_match
    if match and match.view_name == "numberverify:callback":
        return str(request.path)
    return str(request.get_full_path())
