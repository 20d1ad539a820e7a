"""The development server, but honest about a missing Content-Type.

Python's own says "text/plain" then, so that an API could not tell it from a wrong one.
"""

from typing import Any

from django.contrib.staticfiles.management.commands import runserver
from django.core.servers.basehttp import WSGIRequestHandler, WSGIServer


class Handler(WSGIRequestHandler):
    def get_environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environ()
        environ["CONTENT_TYPE"] = self.headers.get("Content-Type", "")
        return environ


class Server(WSGIServer):
    def __init__(self, address: Any, _handler: Any, **options: Any) -> None:
        super().__init__(address, Handler, **options)


class Command(runserver.Command):
    server_cls = Server
