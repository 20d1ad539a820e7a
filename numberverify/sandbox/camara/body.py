"""Reading the bodies of CAMARA's APIs as strictly as their definitions say."""

import re
from collections.abc import Set

from django.http import HttpRequest

from numberverify.sandbox import strict_json
from numberverify.sandbox.camara.api import invalid

Body = dict[str, object]


def members(
    request: HttpRequest, *, required: Set[str] = frozenset(), optional: Set[str]
) -> Body:
    """The members of the body, which are all of `required` and none unheard of."""
    try:
        body = strict_json.parse(request.body)
    except ValueError:
        raise invalid("The body is not JSON") from None
    if not isinstance(body, dict):
        raise invalid("The body is no object")
    if not required <= body.keys() or not body.keys() <= required | optional:
        raise invalid("A property is missing or unknown")
    return body


def text(body: Body, name: str, *, form: re.Pattern[str] | None = None) -> str:
    value = body[name]
    if not isinstance(value, str) or (form and not form.fullmatch(value)):
        raise invalid(f"{name} is invalid")
    return value
