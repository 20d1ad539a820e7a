"""The addresses that are asked every few seconds. No Django here: gunicorn's settings
read it."""

LIVE, READY = "/livez", "/readyz"
# What a desktop asks while it waits for a phone, after the verification.
POLLED = "/handoff/"
