"""The addresses that balancers ask. No Django here: gunicorn's settings read it."""

LIVE, READY = "/livez", "/readyz"
