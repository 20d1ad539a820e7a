"""What the admin's first page says of the accounts."""

from django import template

from accounts.account import ways_overview

register = template.Library()


@register.inclusion_tag("admin/ways_overview.html")
def ways_of_accounts() -> dict[str, int | bool]:
    return ways_overview()
