"""Makes the tables and the people of one database: `python -m bench.flows.prepare`."""

from datetime import timedelta
from typing import Any

import django
from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from . import people

# Rows of verifications that were before: a table that was empty when the planner last
# looked at it is searched from end to end for a minute.
HISTORY = 2 * people.COUNT


def main() -> None:
    django.setup()
    call_command("migrate", verbosity=0)
    # The bare pair has no migrations; it refers to tables of apps that have.
    call_command("migrate", verbosity=0, run_syncdb=True)
    if get_user_model().objects.exists():
        return  # kept from the last run
    if peer := getattr(settings, "PEER", ""):
        _of_peer(peer)
    else:
        _of_ours()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _of_ours() -> None:
    from accounts.models import Device, Profile, User, digest
    from bench import rows

    now, everybody = timezone.now(), range(people.FRENCH.stop)
    users = User.objects.bulk_create(
        User(email=people.email(n), password="!", email_confirmed_at=now)  # noqa: S106
        for n in everybody
    )
    Profile.objects.bulk_create(
        Profile(user=users[n], phone=people.phone(n), phone_verified_at=now)
        for n in everybody
    )
    Device.objects.bulk_create(
        Device(
            user=users[n],
            token_digest=digest(people.browser(n)),
            last_seen_at=now,
            last_proof_at=now,
        )
        for n in everybody
    )
    rows.fill(HISTORY, until=now - timedelta(days=2))


def _of_peer(peer: str) -> None:
    person: Any = get_user_model()
    users = person.objects.bulk_create(
        person(
            username=people.subject(n),
            email=people.email(n),
            password="!",  # noqa: S106
        )
        for n in range(people.COUNT)
    )
    if peer == "allauth":
        account: Any = apps.get_app_config("socialaccount").get_model("SocialAccount")
        account.objects.bulk_create(
            account(user=user, provider="bench", uid=user.get_username())
            for user in users
        )
    if peer == "mozilla":
        # It looks people up by the e-mail in whatever case.
        with connection.cursor() as cursor:
            cursor.execute("CREATE INDEX ON auth_user (UPPER(email))")


if __name__ == "__main__":
    main()
