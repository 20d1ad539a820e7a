from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from numberverify.sandbox.handset import of


def handset(request: HttpRequest) -> dict[str, object]:
    # Lazy: most templates that are rendered show no banner.
    return {"sandbox_handset": SimpleLazyObject(lambda: of(request))}
