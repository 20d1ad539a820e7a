"""What each role may see and do, over every page of the admin that is ours."""

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command

from accounts import roles
from numberverify.choices import Method, Purpose
from numberverify.models import StaffRecord
from tests.conftest import step_up
from tests.factories import (
    ManualRequestFactory,
    NumberReleaseFactory,
    UserFactory,
    VerificationFactory,
)
from tests.numberverify.history import HISTORY

pytestmark = pytest.mark.django_db
BEN, CARL = "+447700900456", "+447700900789"
ROLES = ("Auditor", "Support", "Security admin", "superuser")
LETTERS = dict(zip(ROLES, "ASPX", strict=True))
USER, MANUAL = "/admin/accounts/user/", "/admin/numberverify/manualrequest/"
RELEASE = "/admin/accounts/numberrelease/"
# Auditor, Support, security admin (P), superuser (X): who gets more than 403 or 404.
MATRIX = {
    ("GET", HISTORY): "ASPX",
    ("GET", HISTORY + "{row}/change/"): "ASPX",
    ("GET", HISTORY + "overview/"): "ASPX",
    ("GET", HISTORY + "export/"): "APX",
    ("POST", HISTORY + "export/"): "APX",
    ("GET", MANUAL): "ASPX",
    ("GET", MANUAL + "{manual}/change/"): "ASPX",
    ("GET", MANUAL + "ask/{waiting}/"): "SPX",
    ("POST", MANUAL + "{manual}/decide/"): "PX",
    ("GET", "/admin/numberverify/staffrecord/"): "APX",
    ("GET", "/admin/numberverify/staffrecord/{record}/change/"): "APX",
    ("GET", USER): "SPX",
    ("GET", USER + "{ben}/change/"): "SPX",
    ("POST", USER + "{ben}/change/"): "PX",
    ("GET", USER + "{ben}/number/"): "PX",
    ("POST", USER + "{ben}/number/"): "PX",
    ("GET", USER + "{ben}/forget/"): "PX",
    ("POST", USER + "{ben}/forget/"): "PX",
    ("GET", "/admin/accounts/claim/"): "ASPX",
    ("GET", "/admin/accounts/numberevent/"): "ASPX",
    ("GET", RELEASE): "ASPX",
    ("GET", RELEASE + "{release}/change/"): "ASPX",
    ("GET", RELEASE + "ask/{carl}/"): "SPX",
    ("POST", RELEASE + "{release}/decide/"): "PX",
    ("GET", "/admin/auth/group/"): "X",
    # Nobody adds, changes or deletes.
    ("GET", HISTORY + "add/"): "",
    ("POST", HISTORY + "{row}/change/"): "",
    ("GET", HISTORY + "{row}/delete/"): "",
    ("POST", MANUAL + "{manual}/change/"): "",
    ("POST", MANUAL + "{manual}/delete/"): "",
    ("POST", "/admin/numberverify/staffrecord/add/"): "",
    ("POST", "/admin/numberverify/staffrecord/{record}/change/"): "",
    ("POST", "/admin/numberverify/staffrecord/{record}/delete/"): "",
    ("POST", USER + "add/"): "",
    ("POST", USER + "{ben}/delete/"): "",
    ("POST", RELEASE + "{release}/change/"): "",
    ("POST", RELEASE + "{release}/delete/"): "",
}
POSTED = {"form": "csv", "reason": "request 7", "approve": "1", "_save": "1"}


@pytest.fixture
def there():
    call_command("setup_roles", verbosity=0)
    ben, carl = UserFactory(phone=BEN), UserFactory(phone=CARL)
    waiting = VerificationFactory(
        method=Method.MANUAL, purpose=Purpose.LOGIN, operator="", number="", user=carl
    )
    return {
        "ben": ben.pk,
        "carl": carl.pk,
        "row": VerificationFactory(verified=True, user=ben, msisdn=BEN).pk,
        "waiting": waiting.pk,
        "manual": ManualRequestFactory().pk,
        "release": NumberReleaseFactory(person=ben, msisdn=BEN).pk,
        "record": StaffRecord.objects.create(staff=carl, kind="export").pk,
    }


def member(client, role):
    """Somebody in this role alone, who has just proved it."""
    user = UserFactory(is_staff=True, is_superuser=role == "superuser")
    if role not in ("superuser", "nothing"):
        user.groups.add(Group.objects.get(name=role))
    client.force_login(user)
    step_up(client, user, "administer")
    return user


def answer_of(client, method, page, there):
    address = page.format(**there)
    data = POSTED if method == "POST" else {}
    return getattr(client, method.lower())(address, data)


@pytest.mark.parametrize("role", [*ROLES, "nothing"])
@pytest.mark.parametrize(("method", "page"), MATRIX)
def test_v5_0_0_8_2_1_each_role_does_and_sees_its_own_alone(
    client, there, role, method, page
):
    member(client, role)

    status = answer_of(client, method, page, there).status_code

    may = LETTERS.get(role, "-") in MATRIX[method, page]
    assert (status not in (403, 404)) is may, status


@pytest.mark.parametrize("role", ROLES)
def test_v5_0_0_8_2_3_no_role_sees_a_whole_number_on_any_page(client, there, role):
    member(client, role)

    for (method, page), who in MATRIX.items():
        if method == "GET" and LETTERS[role] in who:
            text = answer_of(client, method, page, there).text
            assert "900456" not in text, page
            assert "900789" not in text, page


def test_v5_0_0_8_1_1_roles_are_groups_of_just_these_permissions(there):
    for name, wanted in roles.ROLES.items():
        group = Group.objects.get(name=name)
        names = group.permissions.values_list("content_type__app_label", "codename")
        assert {".".join(each) for each in names} == wanted


def test_v5_0_0_8_2_1_whoever_asks_in_support_decides_nothing():
    assert not {each for each in roles.SUPPORT | roles.AUDITOR if "decide" in each}
    assert not {each for each in roles.AUDITOR if "ask" in each or "change" in each}


def test_the_command_says_what_it_did_and_does_it_once(capsys):
    call_command("setup_roles")
    first = capsys.readouterr().out
    call_command("setup_roles")
    second = capsys.readouterr().out

    assert "Auditor: made\n" in first
    assert "  + numberverify.export_verification\n" in first
    assert second.splitlines() == [f"{name}: as it should be" for name in roles.ROLES]
    assert Group.objects.count() == 3


def test_the_command_gives_back_what_is_lacking_and_names_what_is_too_much(capsys):
    call_command("setup_roles")
    support = Group.objects.get(name="Support")
    asked = support.permissions.get(codename="ask_manual")
    support.permissions.remove(asked)
    decides = Group.objects.get(name="Security admin").permissions
    support.permissions.add(decides.get(codename="decide_manual"))
    capsys.readouterr()

    call_command("setup_roles")

    said = capsys.readouterr().out
    assert "Support: given what it lacked\n  + numberverify.ask_manual\n" in said
    assert "  ! numberverify.decide_manual is not of this role\n" in said
    assert support.permissions.filter(codename="decide_manual").exists()
