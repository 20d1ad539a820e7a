"""The operators of the environment: the tutorial's three variables, or a file."""

import tomllib
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from config.environment import text
from numberverify.errors import ConfigurationError
from numberverify.operators.tables import read_tables

Tables = dict[str, dict[str, Any]]
VARIABLES = ("NV_CLIENT_ID", "NV_CLIENT_SECRET", "NV_API_HOST")


def operators(folder: Path) -> Tables:
    """A file is looked for in `folder`, unless its path is absolute."""
    one = _from_variables()
    if one and text("NV_OPERATORS_FILE"):
        raise ImproperlyConfigured(
            "NV_OPERATORS_FILE cannot go together with NV_CLIENT_ID, NV_CLIENT_SECRET "
            "and NV_API_HOST"
        )
    return one or _from_file(folder)


def _from_variables() -> Tables:
    """One Mobile Connect operator, `default`."""
    values = {name: text(name) for name in VARIABLES}
    if not any(values.values()):
        return {}
    for name, value in values.items():
        if not value:
            raise ImproperlyConfigured(f"{name} is missing: half an operator is none")
    found: Tables = {
        "default": {
            "dialect": "mobile-connect",
            "label": _("your mobile network"),
            "base_url": values["NV_API_HOST"].rstrip("/"),
            "client_id": values["NV_CLIENT_ID"],
            "client_secret": values["NV_CLIENT_SECRET"],
        }
    }
    try:
        read_tables(found)
    except ConfigurationError as error:
        raise ImproperlyConfigured(f"{', '.join(VARIABLES)}: {error}") from None
    return found


def _from_file(folder: Path) -> Tables:
    path = text("NV_OPERATORS_FILE")
    if not path:
        return {}
    try:
        tables = tomllib.loads((folder / path).read_text("utf-8"))
    except OSError as error:
        raise ImproperlyConfigured(f"NV_OPERATORS_FILE: {error.strerror}") from None
    except ValueError:  # its words may quote a secret
        raise ImproperlyConfigured("NV_OPERATORS_FILE is not TOML in UTF-8") from None
    if not tables:
        raise ImproperlyConfigured("NV_OPERATORS_FILE names no operator")
    for table in tables.values():
        key_file = table.get("private_key_file") if isinstance(table, dict) else None
        if isinstance(key_file, str) and key_file:  # relative to the file that names it
            table["private_key_file"] = str((folder / path).parent / key_file)
    return tables
