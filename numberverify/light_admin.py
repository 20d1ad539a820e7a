"""The admin's pages without what none of ours needs, three quarters of their weight:
jQuery, and the scripts that make slugs and open pop-ups."""

from typing import Any

from django import forms


class LightAdminMixin:
    @property
    def media(self) -> forms.Media:
        return forms.Media(js=["admin/js/core.js", "admin/js/actions.js"])

    def formfield_for_dbfield(self, *args: Any, **kwargs: Any) -> Any:
        """Without the links to add another beside a choice: they are pop-ups."""
        field = super().formfield_for_dbfield(*args, **kwargs)  # type: ignore[misc]
        widget = getattr(field, "widget", None)
        for may in ("add", "change", "delete", "view"):
            if hasattr(widget, f"can_{may}_related"):
                setattr(widget, f"can_{may}_related", False)
        return field
