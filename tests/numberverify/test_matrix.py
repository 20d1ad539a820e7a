"""A proof for one thing opens no other: every pair of things, both ways."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import permutations

import pytest
from django.conf import settings as project
from django.http import HttpResponse
from django.urls import path
from django.utils import timezone

from accounts.models import User
from config.urls import urlpatterns as of_the_site
from numberverify import conf, flow
from numberverify.choices import Method, Purpose, Status
from numberverify.errors import VerificationNotUsable
from numberverify.msisdn import Msisdn
from numberverify.stepup import confirmed, step_up_required
from tests.conftest import step_up
from tests.factories import ANN, UserFactory, VerificationFactory

pytestmark = pytest.mark.django_db
BEN = "+447700900456"
ACTIONS = sorted(conf.actions())
PLAIN = {
    name
    for name, action in conf.actions().items()
    if action.purpose == Purpose.STEP_UP and action.serves == "once"
}


@dataclass(frozen=True)
class Thing:
    """What somebody proves. Two things differ in one part, or in more."""

    name: str
    purpose: Purpose = Purpose.STEP_UP
    action: str = "transfer"
    person: str = "ann"
    browser: str = "one"
    number: str = ANN
    details: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


BASE = Thing("a transfer")
THINGS = [
    BASE,
    *(
        Thing(f"purpose {purpose}", purpose, "")
        for purpose in Purpose
        if purpose != Purpose.SIGNUP
    ),
    Thing("a signup", Purpose.SIGNUP, "", person=""),
    *(Thing(f"action {name}", action=name) for name in sorted(PLAIN)),
    replace(BASE, name="another person", person="ben"),
    replace(BASE, name="nobody", person=""),
    replace(BASE, name="another browser", browser="two"),
    replace(BASE, name="no browser", browser=""),
    replace(BASE, name="another number", number=BEN),
    replace(BASE, name="no number", number=""),
    replace(BASE, name="ten pounds", details={"To": "Cat", "Amount": "£10.00"}),
    replace(BASE, name="a hundred", details={"To": "Cat", "Amount": "£100.00"}),
    replace(BASE, name="another payee", details={"To": "Dan", "Amount": "£10.00"}),
    replace(BASE, name="swapped", details={"To": "£10.00", "Amount": "Cat"}),
    replace(BASE, name="half of it", details={"To": "Cat"}),
    replace(
        BASE,
        name="the details of another action",
        action="close_account",
        details={"To": "Cat", "Amount": "£10.00"},
    ),
]


@pytest.fixture
def people():
    return {"ann": UserFactory(), "ben": UserFactory(), "": None}


def proof_for(thing: Thing, people, **changes) -> flow.Proof:
    proof = flow.Proof(
        purpose=thing.purpose,
        user=people[thing.person],
        holder=thing.browser,
        msisdn=Msisdn(thing.number) if thing.number else None,
        action=thing.action,
        details=confirmed.digest_of(thing.action, thing.details),
    )
    return replace(proof, **changes)


def prove(thing: Thing, people, **columns):
    """A receipt for exactly this thing."""
    if not thing.number:
        columns |= {"number_fingerprint": b"", "fingerprint_key": "", "number_mask": ""}
    return VerificationFactory(
        verified=True,
        purpose=thing.purpose,
        action=thing.action,
        user=people[thing.person],
        binding=thing.browser,
        msisdn=thing.number or ANN,
        details_digest=confirmed.digest_of(thing.action, thing.details),
        **columns,
    )


@pytest.mark.parametrize("thing", THINGS, ids=str)
def test_each_proof_opens_its_own(people, thing):
    row = prove(thing, people)

    receipt = flow.find_receipt(proof_for(thing, people))

    assert receipt.id == row.pk
    flow.redeem(receipt, proof_for(thing, people))


@pytest.mark.parametrize(
    ("proved", "wanted"),
    [
        pytest.param(one, other, id=f"{one} for {other}")
        for one, other in permutations(THINGS, 2)
    ],
)
def test_no_proof_opens_another(people, proved, wanted):
    prove(proved, people)
    receipt = flow.find_receipt(proof_for(proved, people))

    assert flow.find_receipt(proof_for(wanted, people)) is None
    with pytest.raises(VerificationNotUsable):
        flow.redeem(receipt, proof_for(wanted, people))
    flow.redeem(receipt, proof_for(proved, people))


@pytest.mark.parametrize("method", Method)
@pytest.mark.parametrize("purpose", Purpose)
def test_no_method_pays_for_what_does_not_accept_it(people, purpose, method):
    thing = Thing("", purpose, "", person="" if purpose == Purpose.SIGNUP else "ann")
    prove(thing, people, method=method)

    found = flow.find_receipt(proof_for(thing, people))

    assert (found is not None) is (method in conf.accepts(purpose))


@pytest.mark.parametrize("status", [s for s in Status if s != Status.VERIFIED])
@pytest.mark.parametrize("method", Method)
def test_no_other_ending_pays_by_any_method(people, method, status):
    row = prove(BASE, people, method=method)
    is_open = status in (Status.PENDING, Status.EXCHANGING)
    row.status, row.settled_at = status, None if is_open else row.settled_at
    row.save()

    assert flow.find_receipt(proof_for(BASE, people)) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": "1", "b": "2"}, {"b": "2", "a": "1"}),
        ({"To": "Zoë"}, {"To": "Zoë"}),
    ],
)
def test_equal_details_are_equal_in_any_order(one, other):
    assert confirmed.digest_of("x", one) == confirmed.digest_of("x", other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": "1"}, {"a": "1 "}),
        ({"a": "1", "b": "2"}, {"a": "12", "b": ""}),
        ({"a": '1","b":"2'}, {"a": "1", "b": "2"}),
        ({"To": "Zoe"}, {"To": "Zoë"}),
        ({"To": "Zo\u0308e"}, {"To": "Zöe"}),
    ],
)
def test_different_details_never_meet(one, other):
    assert confirmed.digest_of("x", one) != confirmed.digest_of("x", other)


def test_equal_details_of_two_actions_never_meet():
    assert confirmed.digest_of("x", {"a": "1"}) != confirmed.digest_of("y", {"a": "1"})


# Proofs that a session holds


def guarded(name: str):
    @step_up_required(name, form_fields=("act",))
    def view(request):
        return HttpResponse("open")

    return path(f"guarded/{name}/", view)


urlpatterns = [*of_the_site, *(guarded(name) for name in ACTIONS)]


@pytest.fixture
def ann(client, settings):
    settings.ROOT_URLCONF = __name__
    user = UserFactory(phone=ANN)
    client.force_login(user)
    return user


def is_open(client, action):
    page = client.get(f"/guarded/{action}/")
    assert page.status_code == 200
    return page.text == "open"


@pytest.mark.parametrize("action", ACTIONS)
def test_a_session_opens_the_action_that_it_holds_and_no_other(client, ann, action):
    step_up(client, ann, action)

    assert [name for name in ACTIONS if is_open(client, name)] == [action]


@pytest.mark.parametrize("action", sorted(PLAIN))
def test_what_a_session_holds_of_a_once_pays_for_no_form(client, ann, action):
    step_up(client, ann, action)

    page = client.post(f"/guarded/{action}/", {"act": "1"})

    assert "Confirm it's you" in page.text


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param({"nv_binding": "another browser"}, id="another browser"),
        pytest.param({"nv_binding": ""}, id="no browser"),
    ],
)
@pytest.mark.parametrize("action", ACTIONS)
def test_a_session_opens_nothing_in_another_browser(client, ann, action, spoil):
    step_up(client, ann, action)
    for name, value in spoil.items():
        client.cookies[name] = value

    assert not is_open(client, action)


@pytest.mark.parametrize("action", ACTIONS)
def test_a_session_of_one_person_opens_nothing_for_another(client, ann, action):
    step_up(client, ann, action)
    held = client.session["nv_proofs"]
    ben = UserFactory(phone=BEN)
    client.force_login(ben)
    session = client.session
    session["nv_proofs"] = held
    session.save()

    assert not is_open(client, action)


@pytest.mark.parametrize("action", ACTIONS)
def test_a_session_opens_nothing_past_the_actions_age(client, ann, action):
    step_up(client, ann, action)
    max_age = conf.actions()[action].max_age
    session = client.session
    _, *rest = session["nv_proofs"][action]

    for late, opens in ((timedelta(seconds=5), True), (timedelta(0), False)):
        at = (timezone.now() - max_age + late).isoformat()
        session["nv_proofs"] = {action: [at, *rest]}
        session.save()
        assert is_open(client, action) is opens


def test_the_matrix_goes_through_every_action_of_the_site():
    assert set(project.NV_STEP_UP) <= set(ACTIONS)
    assert User.objects.count() == 0
