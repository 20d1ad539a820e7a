"""The list of an account's browsers, and what can be done to each.

OWASP ASVS 5.0.0: 7.5.2, 6.5.6, 8.2.2; NIST SP 800-63B-4: 5.1.
"""

import pytest
from django.core import mail as outbox

from accounts import browsers
from accounts.models import Device, Notice
from accounts.notice import Kind
from tests.accounts.browsers import (
    BROWSERS,
    WORDS,
    device_of,
    is_stored,
    key_of,
    known,
    later,
    opened,
)
from tests.accounts.steps import (
    by_app,
    by_network,
    is_signed_in,
    log_in,
    mailed,
    mailed_link,
)
from tests.factories import (
    ANN,
    AuthenticatorFactory,
    DeviceFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
NAMES = ("phone", "laptop", "stranger")


@pytest.fixture
def ann():
    return UserFactory(email="ann@example.com", phone=ANN)


def forget_url(name):
    return f"{BROWSERS}{device_of(name).pk}/forget/"


def end(browser, name):
    return browser.submit(BROWSERS, end=str(device_of(name).pk))


def entries(page):
    """The list's entries, as texts, by the name of the browser in each."""
    parts = page.text.split("<h2>")[1:]
    return {part.partition("</h2>")[0]: part for part in parts}


# What is shown


def test_each_browser_is_listed_in_words_and_this_one_says_so(ann):
    phone = opened(ann, "phone")
    opened(ann, "laptop")
    known(ann, "stranger")

    found = entries(phone.get(BROWSERS))

    assert next(iter(found)) == WORDS["phone"]
    assert set(found) == set(WORDS.values())
    assert "This browser" in found[WORDS["phone"]]
    assert "Signed in" in found[WORDS["laptop"]]
    assert "Signed out" in found[WORDS["stranger"]]
    for words in ("today, ", "place not known"):
        assert all(words in entry for entry in found.values())
    assert f'href="{BROWSERS}"' in phone.get("/accounts/profile/").text


def test_the_place_is_a_country_and_the_address_is_not_kept(ann):
    phone = opened(ann, "phone", REMOTE_ADDR="81.2.69.142")

    assert "United Kingdom" in phone.get(BROWSERS).text
    row = Device.objects.filter(pk=device_of("phone").pk).values()[0]
    assert row["country"] == "GB"
    assert "81.2.69.142" not in str(row)


def test_nothing_that_opens_a_session_is_on_the_page(ann):
    phone, laptop = opened(ann, "phone"), opened(ann, "laptop")

    page = phone.get(BROWSERS).text

    for secret in (key_of(phone), key_of(laptop), "nv_known"):
        assert secret not in page


def test_the_times_are_in_words(ann):
    phone = opened(ann, "phone")
    with later(days=1):
        assert "yesterday, " in phone.get(BROWSERS).text
    with later(days=3):
        first_seen = f"{device_of('phone').created_at:%-d %B %Y, }"
        assert first_seen in phone.get(BROWSERS).text


def test_who_has_never_logged_in_by_the_page_reads_a_list_all_the_same(client, ann):
    client.force_login(ann)

    assert "None yet." in client.get(BROWSERS).text


def test_the_list_has_an_end(ann, monkeypatch):
    monkeypatch.setattr(browsers, "SHOWN", 2)
    phone = opened(ann, "phone")
    for n in range(3):
        DeviceFactory(user=ann, token=f"old {n}")

    assert "Older ones are not shown" in phone.get(BROWSERS).text


def test_the_list_of_browsers_costs_one_query_beside_this_one(
    ann, django_assert_num_queries
):
    phone = opened(ann, "phone")
    for name in ("laptop", "stranger"):
        opened(ann, name)

    with django_assert_num_queries(4):  # session, user, this browser, all
        phone.get(BROWSERS)


def test_nobody_sees_it_who_is_not_signed_in(browser):
    assert browser.get(BROWSERS)["Location"] == f"/accounts/login/?next={BROWSERS}"


# Ending one session (7.5.2)


@pytest.mark.parametrize("by", NAMES)
@pytest.mark.parametrize("of", NAMES)
def test_v5_0_0_7_5_2_each_of_three_ends_each_and_no_other(ann, by, of):
    three = {name: opened(ann, name) for name in NAMES}
    key = key_of(three[of])

    response = end(three[by], of)

    assert response.status_code == 303
    assert not is_stored(key)
    assert device_of(of).session_key == ""
    for name, one in three.items():
        assert is_signed_in(one) == (name != of)


def test_an_ended_browser_lands_on_login_at_its_next_click(ann):
    phone, stranger = opened(ann, "phone"), opened(ann, "stranger")

    assert "That browser is signed out." in phone.follow(end(phone, "stranger")).text

    clicked = stranger.get("/accounts/profile/")
    assert clicked["Location"] == "/accounts/login/?next=/accounts/profile/"
    found = entries(phone.get(BROWSERS))[WORDS["stranger"]]
    assert "Signed out" in found
    assert 'name="end"' not in found


def test_an_ended_browser_is_still_known(ann, operator):
    phone, laptop = opened(ann, "phone"), opened(ann, "laptop")

    end(phone, "laptop")

    assert log_in(laptop, ann)["Location"] == "/accounts/profile/"


@pytest.mark.usefixtures("run_on_commit")
def test_ending_another_takes_no_proof_and_is_mailed(ann):
    end(opened(ann, "phone"), "phone")
    assert mailed() == []
    phone = opened(ann, "laptop")
    opened(ann, "stranger")

    end(phone, "stranger")

    assert [to for to, _ in mailed()] == [ann.email]
    assert WORDS["stranger"] in outbox.outbox[-1].body


def test_ending_it_twice_changes_nothing(ann):
    phone = opened(ann, "phone")
    opened(ann, "laptop")

    assert end(phone, "laptop").status_code == end(phone, "laptop").status_code == 303
    assert is_signed_in(phone)


# Forgetting one (6.5.6)


def test_where_nobody_is_signed_in_nothing_is_ended_and_nobody_told(ann):
    phone = opened(ann, "phone")
    other = DeviceFactory(user=ann, token="another")
    before = Notice.objects.count()

    for _ in range(5):
        page = phone.submit("/accounts/browsers/", end=str(other.pk))

    assert page.status_code == 303
    assert Notice.objects.count() == before


def test_a_session_can_end_others_without_end_and_not_fill_a_mailbox(ann, caplog):
    phone = opened(ann, "phone")
    other = DeviceFactory(user=ann, token="another")

    for n in range(13):
        Device.objects.filter(pk=other.pk).update(session_key=f"signed in {n}")
        phone.submit("/accounts/browsers/", end=str(other.pk))

    told = Notice.objects.filter(kind=Kind.BROWSER_ENDED).count()
    assert told == 10
    assert Device.objects.get(pk=other.pk).session_key == ""
    assert "browser_ended is told no more this hour" in caplog.text
    assert "ann@" not in caplog.text


def test_v5_0_0_6_5_6_a_forgotten_browser_is_new_at_its_next_login(ann, operator):
    phone, laptop = opened(ann, "phone"), opened(ann, "laptop")
    url, key = forget_url("laptop"), key_of(laptop)
    by_network(phone, operator, url)

    page = phone.follow(phone.submit(url, forget="1"))

    assert "That browser is forgotten and signed out." in page.text
    assert not is_stored(key)
    assert not is_signed_in(laptop)
    assert is_signed_in(phone)
    assert Device.objects.count() == 1
    assert log_in(laptop, ann)["Location"].startswith(operator.base_url)


def test_forgetting_another_takes_a_proof_and_looking_forgets_nothing(ann, operator):
    phone, laptop = opened(ann, "phone"), opened(ann, "laptop")
    url = forget_url("laptop")

    assert "Confirm it's you to forget another browser" in phone.get(url).text
    assert "Confirm it's you" in phone.submit(url, forget="1").text
    assert f"Forget {WORDS['laptop']}?" in by_network(phone, operator, url).text
    assert phone.get(url).status_code == 200
    assert is_signed_in(laptop)
    assert Device.objects.count() == 2


def test_one_proof_forgets_more_than_one(ann, operator):
    phone = opened(ann, "phone")
    for name in ("laptop", "stranger"):
        known(ann, name)
    by_network(phone, operator, forget_url("laptop"))

    for name in ("laptop", "stranger"):
        phone.submit(forget_url(name), forget="1")

    assert [*Device.objects.all()] == [device_of("phone")]


def test_an_app_proves_it_as_well():
    ben = UserFactory()
    AuthenticatorFactory(user=ben)
    phone = opened(ben, "phone")
    known(ben, "stranger")
    url = forget_url("stranger")

    by_app(phone, ben, url)
    phone.submit(url, forget="1")

    assert [*Device.objects.all()] == [device_of("phone")]


def test_this_browser_is_forgotten_without_a_proof_and_signed_out(ann, operator):
    phone, laptop = opened(ann, "phone"), opened(ann, "laptop")
    url, key = forget_url("phone"), key_of(phone)
    assert "You are signed out here" in phone.get(url).text

    response = phone.submit(url, forget="1")

    assert "This browser is forgotten" in phone.follow(response).text
    assert not is_stored(key)
    assert not is_signed_in(phone)
    assert is_signed_in(laptop)
    assert phone.cookies["nv_known"].value == ""
    assert log_in(phone, ann)["Location"].startswith(operator.base_url)


@pytest.mark.usefixtures("run_on_commit")
def test_forgetting_another_is_mailed(ann, operator):
    phone = opened(ann, "phone")
    known(ann, "stranger")
    by_network(phone, operator, forget_url("stranger"))

    phone.submit(forget_url("stranger"), forget="1")

    assert [to for to, _ in mailed()] == [ann.email]
    assert WORDS["stranger"] in outbox.outbox[-1].body


# Nobody else's (8.2.2)

IDS = ["", "0", "-1", "x", "9" * 30, "1 OR 1=1"]


@pytest.mark.parametrize("made_up", IDS)
def test_an_id_that_is_none_is_a_404(ann, made_up):
    assert opened(ann, "phone").submit(BROWSERS, end=made_up).status_code == 404


@pytest.mark.parametrize("verb", ["get", "post"])
def test_v5_0_0_8_2_2_another_persons_browser_is_a_404(ann, operator, verb):
    phone = opened(ann, "phone")
    theirs = DeviceFactory(token="Ben's", session_key="k" * 32)
    url = f"{BROWSERS}{theirs.pk}/forget/"

    assert phone.submit(BROWSERS, end=str(theirs.pk)).status_code == 404
    by_network(phone, operator, "/accounts/sessions/end/")
    asked = (
        phone.get(url)
        if verb == "get"
        else phone.submit(url, page=BROWSERS + f"{device_of('phone').pk}/forget/")
    )

    assert asked.status_code == 404
    theirs.refresh_from_db()
    assert theirs.session_key == "k" * 32


@pytest.mark.parametrize("address", [BROWSERS, "forget"])
def test_v5_0_0_3_5_1_a_post_without_the_token_is_refused(ann, address):
    phone, laptop = opened(ann, "phone"), opened(ann, "laptop")
    url = forget_url("phone") if address == "forget" else address

    refused = phone.post(url, {"end": str(device_of("laptop").pk), "forget": "1"})

    assert refused.status_code == 403
    assert is_signed_in(phone)
    assert is_signed_in(laptop)


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_do_nothing(client, ann, method):
    client.force_login(ann)

    assert getattr(client, method)(BROWSERS).status_code == 405


# What a login and a logout leave behind


def test_a_second_login_in_a_browser_leaves_one_session(ann):
    """A session of before whose cookie is lost must not go on unseen."""
    phone = opened(ann, "phone")
    first = key_of(phone)
    del phone.cookies["sessionid"]

    log_in(phone, ann)

    assert not is_stored(first)
    assert device_of("phone").session_key == key_of(phone)


def test_another_person_in_the_same_browser_ends_the_session_of_the_first(
    ann, operator
):
    ben = UserFactory(phone="+447700900456")
    phone = opened(ann, "phone")
    first = key_of(phone)
    twin = known(ben, "laptop")
    phone.cookies["nv_known"] = "laptop"
    journey = log_in(twin, ben)  # signed in elsewhere, to be sure that Ben may be
    assert journey["Location"] == "/accounts/profile/"
    phone.submit("/accounts/logout/", page="/")
    log_in(phone, ben)

    assert not is_stored(first)
    assert device_of("phone").session_key == ""
    assert device_of("laptop").session_key == key_of(phone)


def test_after_a_logout_the_browser_is_signed_out(ann):
    phone, laptop = opened(ann, "phone"), opened(ann, "laptop")
    key = key_of(phone)

    phone.submit("/accounts/logout/", page="/")

    assert not is_stored(key)
    assert device_of("phone").session_key == ""
    assert "Signed out" in entries(laptop.get(BROWSERS))[WORDS["phone"]]


@pytest.mark.usefixtures("run_on_commit")
def test_ending_all_others_is_mailed(ann, operator):
    phone = opened(ann, "phone")
    by_network(phone, operator, "/accounts/sessions/end/")

    phone.submit("/accounts/sessions/end/", end="1")

    assert mailed() == [(ann.email, "All other sessions of your account were ended")]
    assert mailed_link("not-me")


# A crash


def test_a_session_that_its_browser_lost_ends_when_it_is_noted_next(ann):
    """The process ended after it had freed the browser, before the session was gone."""
    stranger = opened(ann, "stranger")
    key = key_of(stranger)
    Device.objects.filter(session_key=key).update(session_key="")

    with later(minutes=6):
        assert not is_signed_in(stranger)
    assert not is_stored(key)
