from django.http import HttpRequest


def bearer_token(request: HttpRequest) -> str:
    """The token in the header of RFC 6750, 2.1, or ""."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else ""
