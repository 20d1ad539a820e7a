"""Two at once: on SQLite in a file and on PostgreSQL."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from urllib.parse import urlencode

import pytest
from django.db import connection, connections, transaction

from accounts.models import Profile, User
from numberverify import flow
from numberverify.choices import Method, Purpose, Status
from numberverify.errors import VerificationNotUsable
from numberverify.factors import sms
from numberverify.models import Verification
from numberverify.msisdn import Msisdn
from tests.conftest import Browser
from tests.factories import ANN, BINDING, PASSWORD, UserFactory, VerificationFactory
from tests.fake_operator import MATCH, TOKEN
from tests.numberverify.typed import opened, proof_of, start, tries, way_for

pytestmark = pytest.mark.django_db(transaction=True)
SIGNUP = "/accounts/signup/"


def at_once(jobs: list[Callable[[], object]]) -> list[object]:
    """Run the jobs in threads that set off together; return what each returned."""
    barrier = Barrier(len(jobs))

    def run(job: Callable[[], object]) -> object:
        barrier.wait()
        try:
            return job()
        finally:
            connections.close_all()

    connection.close()  # a pool of one has none to spare for a thread that waits
    with ThreadPoolExecutor(len(jobs)) as threads:
        return list(threads.map(run, jobs))


def sign_up(browser: Browser, email: str, phone: str = ANN):
    return browser.submit(
        SIGNUP, email=email, phone=phone, password1=PASSWORD, password2=PASSWORD
    )


def brought_by(operator, started) -> str:
    return (
        f"/verify/callback/fake/?{urlencode(operator.authorize(started['Location']))}"
    )


def twin_of(browser: Browser) -> Browser:
    twin = Browser()
    twin.cookies = browser.cookies.copy()
    return twin


def test_of_twenty_equal_callbacks_the_operator_sees_one(browser, operator):
    operator.delay = 0.05
    address = brought_by(operator, sign_up(browser, "ann@example.com"))
    twins = [twin_of(browser) for _ in range(20)]

    answers = at_once([lambda twin=twin: twin.get(address) for twin in twins])

    assert len(operator.calls_to(TOKEN)) == len(operator.calls_to(MATCH)) == 1
    assert {answer.status_code for answer in answers} == {303}
    assert Counter(a["Location"].split("/")[1] for a in answers) == {
        "accounts": 1,
        "verify": 19,
    }
    assert Verification.objects.get().status == Status.VERIFIED


def test_of_twenty_redeems_one_wins():
    user = UserFactory()
    VerificationFactory(verified=True, purpose=Purpose.LOGIN, user=user)
    proof = flow.Proof(Purpose.LOGIN, user, BINDING, Msisdn(ANN))
    receipt = flow.find_receipt(proof)

    def redeem() -> bool:
        try:
            with transaction.atomic():
                flow.redeem(receipt, proof)
        except VerificationNotUsable:
            return False
        return True

    assert Counter(at_once([redeem] * 20)) == {True: 1, False: 19}


def test_two_people_and_one_number_make_one_account(operator):
    people = [Browser(), Browser()]
    steps = []
    for n, person in enumerate(people):
        started = sign_up(person, f"person{n}@example.com")
        steps.append(person.come_back(operator, started)["Location"])

    jobs = [
        lambda p=p, s=s: p.follow(p.get(s)) for p, s in zip(people, steps, strict=True)
    ]
    pages = at_once(jobs)

    paths = Counter(page.request["PATH_INFO"] for page in pages)
    assert paths == {"/accounts/profile/": 1, "/accounts/signup/number-taken/": 1}
    assert User.objects.count() == Profile.objects.filter(phone=ANN).count() == 1


def test_two_numbers_and_one_email_make_one_account(operator):
    numbers = [ANN, "+447700900456"]
    people = [Browser(), Browser()]
    steps = []
    for number, person in zip(numbers, people, strict=True):
        operator.sim = number
        started = sign_up(person, "ann@example.com", number)
        steps.append(person.come_back(operator, started)["Location"])

    jobs = [
        lambda p=p, s=s: p.follow(p.get(s)) for p, s in zip(people, steps, strict=True)
    ]
    pages = at_once(jobs)

    paths = Counter(page.request["PATH_INFO"] for page in pages)
    assert paths == {"/accounts/profile/": 1, "/accounts/signup/email-taken/": 1}
    assert User.objects.count() == 1


@pytest.mark.usefixtures("one_step_a_request")
def test_one_receipt_resumed_eight_times_opens_one_account(browser, operator):
    started = sign_up(browser, "ann@example.com")
    step = browser.come_back(operator, started)["Location"]
    twins = [twin_of(browser) for _ in range(8)]

    answers = at_once([lambda twin=twin: twin.get(step) for twin in twins])

    assert Counter(answer.status_code for answer in answers) == {303: 1, 410: 7}
    assert User.objects.count() == 1


def test_one_receipt_changes_one_password(browser, operator):
    ann = UserFactory(phone=ANN)
    browser.force_login(ann)
    change = "/accounts/password/change/"
    browser.get(browser.come_back(operator, browser.submit(change))["Location"])
    token = str(browser.get(change).context["csrf_token"])
    twins = [twin_of(browser) for _ in range(6)]

    def post(n: int, twin: Browser):
        new = f"batt3ry staple {n}"
        fields = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
        return twin.post(change, fields | {"csrfmiddlewaretoken": token})

    answers = at_once([lambda n=n, t=t: post(n, t) for n, t in enumerate(twins)])

    changed = [a for a in answers if a.get("Location") == "/accounts/profile/"]
    assert Verification.objects.filter(redeemed_at__isnull=False).count() == 1
    ann.refresh_from_db()
    assert sum(ann.check_password(f"batt3ry staple {n}") for n in range(6)) == 1
    assert changed


def test_a_sweep_and_an_answer_do_not_both_settle(browser, operator):
    started = sign_up(browser, "ann@example.com")
    address = brought_by(operator, started)
    operator.delay = 0.3

    def sweep() -> None:
        while not operator.calls:
            pass
        Verification.objects.filter(status=Status.EXCHANGING).settle(
            Status.UNAVAILABLE, now=Verification.objects.get().created_at
        )

    answer, _ = at_once([lambda: browser.get(address), sweep])

    row = Verification.objects.get()
    assert row.status == Status.UNAVAILABLE
    assert answer["Location"] == f"/verify/{row.pk}/"


@pytest.mark.postgresql
def test_with_a_pool_of_one_eight_callbacks_at_once_all_end_well(operator):
    browsers = [Browser() for _ in range(8)]
    numbers = [f"+4477009003{n:02d}" for n in range(8)]
    addresses = []
    for n, (browser, number) in enumerate(zip(browsers, numbers, strict=True)):
        started = sign_up(browser, f"person{n}@example.com", number)
        addresses.append(brought_by(operator, started))
    operator.delay = 0.5  # token and match: a second in all
    was = connection.settings_dict["OPTIONS"]["pool"]
    connection.close()
    connection.close_pool()
    connection.settings_dict["OPTIONS"]["pool"] = {
        "min_size": 1,
        "max_size": 1,
        "timeout": 3,
    }
    try:
        jobs = [
            lambda b=b, a=a: b.get(a) for b, a in zip(browsers, addresses, strict=True)
        ]
        answers = at_once(jobs)
    finally:
        connection.close()
        connection.close_pool()
        connection.settings_dict["OPTIONS"]["pool"] = was

    assert {answer.status_code for answer in answers} == {303}
    ended = Verification.objects.values_list("status", flat=True)
    assert Counter(ended) == {Status.MISMATCHED: 8}


def test_of_twenty_strangers_at_once_five_have_a_number_texted(operator):
    strangers = [Browser() for _ in range(20)]
    for n, stranger in enumerate(strangers):
        stranger.defaults["REMOTE_ADDR"] = f"203.0.113.{n}"

    def ask(browser: Browser):
        fields = {"password1": PASSWORD, "password2": PASSWORD, "phone": ANN}
        asked = browser.submit(SIGNUP, email="new@example.com", method="sms", **fields)
        return browser.get(asked["Location"]).status_code

    assert at_once([lambda b=b: ask(b) for b in strangers]) == [200] * 20

    assert 1 <= len(sms.outbox) <= 5
    waiting = Verification.objects.filter(status=Status.PENDING)
    assert waiting.count() == len(sms.outbox)


# Codes


@pytest.mark.parametrize("method", [Method.SMS, Method.TOTP, Method.RECOVERY_CODE])
def test_a_right_code_typed_eight_times_at_once_is_one_receipt(method):
    user = UserFactory(phone=ANN)
    right = way_for(user, method)
    row = opened(user, method)
    code = right()

    done = at_once([lambda: tries(row, code).right] * 8)

    assert done.count(True) == 1
    assert flow.find_receipt(proof_of(row))


@pytest.mark.parametrize("method", [Method.TOTP, Method.RECOVERY_CODE])
def test_one_code_typed_in_two_browsers_at_once_lets_one_in(method):
    user = UserFactory(phone=ANN)
    right = way_for(user, method)
    rows = [opened(user, method, known=known) for known in (True, False)]
    code = right()

    done = at_once([lambda row=row: tries(row, code).right for row in rows])

    assert sorted(done) == [False, True]
    assert Verification.objects.filter(status=Status.VERIFIED).count() == 1


def test_eight_wrong_codes_at_once_are_five_tries():
    row = opened(UserFactory(phone=ANN), Method.SMS)
    code = sms.outbox[-1].text[:6]

    at_once(
        [lambda n=n: tries(row, f"{(int(code) + n) % 10**6:06}") for n in range(1, 9)]
    )

    row.refresh_from_db()
    assert (row.tries, row.status) == (5, Status.REFUSED)
    assert not tries(row, code).right


@pytest.mark.postgresql
def test_twenty_starts_of_one_person_at_once_all_end_well():
    user = UserFactory(phone=ANN)

    at_once([lambda: start(user, Method.SMS)] * 20)

    assert Verification.objects.filter(status=Status.PENDING).count() <= 1
