"""States of the database, by name."""

from datetime import timedelta

import factory
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import Device, NumberRelease, Pending, Profile, User
from accounts.models import digest as device_digest
from numberverify import conf
from numberverify.choices import Method, Purpose, Reason, Status
from numberverify.models import (
    ManualRequest,
    RecoveryCode,
    Verification,
    digest,
)
from numberverify.msisdn import Msisdn

PASSWORD = "corr3ct horse"
ANN = "+447700900123"  # what a fresh handset holds
BINDING = "this browser"


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person{n}@example.com")
    password = factory.django.Password(PASSWORD)

    class Params:
        staff = factory.Trait(is_staff=True, is_superuser=True)

    @factory.post_generation
    def phone(self, create, number, **kwargs):
        """`phone="+44…"` puts a verified number on file."""
        if number:
            Profile.objects.create(
                user=self, phone=number, phone_verified_at=timezone.now()
            )


class DeviceFactory(factory.django.DjangoModelFactory):
    """A browser that the account knows by the cookie value `token`."""

    class Meta:
        model = Device

    class Params:
        token = "known browser"

    user = factory.SubFactory(UserFactory)
    token_digest = factory.LazyAttribute(lambda o: device_digest(o.token))
    last_seen_at = factory.LazyFunction(timezone.now)
    last_proof_at = factory.LazyFunction(timezone.now)


class PendingFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Pending

    kind = Pending.Kind.SIGNUP
    holder_digest = device_digest(BINDING)
    email = factory.Sequence(lambda n: f"new{n}@example.com")
    phone = ANN
    next = "/accounts/profile/"
    auth_hash = factory.LazyAttribute(lambda o: o.user.state_hash() if o.user else "")
    user = None
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(minutes=30))


class VerificationFactory(factory.django.DjangoModelFactory):
    """Pending, for `msisdn`, started in the browser `binding`."""

    class Meta:
        model = Verification

    class Params:
        msisdn = ANN
        binding = BINDING
        state = factory.Sequence(lambda n: f"state-{n}")
        exchanging = factory.Trait(
            status=Status.EXCHANGING, claimed_at=factory.LazyFunction(timezone.now)
        )
        settled = factory.Trait(
            claimed_at=factory.LazyFunction(timezone.now),
            settled_at=factory.LazyFunction(timezone.now),
            number="",
            nonce="",
        )
        verified = factory.Trait(settled=True, status=Status.VERIFIED)
        mismatched = factory.Trait(settled=True, status=Status.MISMATCHED)
        unavailable = factory.Trait(
            settled=True,
            status=Status.UNAVAILABLE,
            reason=Reason.NOT_ON_MOBILE_NETWORK,
        )

    purpose = Purpose.SIGNUP
    operator = "sandbox"
    next = "/accounts/profile/"
    number = factory.SelfAttribute("msisdn")
    nonce = "nonce"
    number_mask = factory.LazyAttribute(lambda o: str(Msisdn(o.msisdn)))
    number_fingerprint = factory.LazyAttribute(
        lambda o: conf.fingerprints(Msisdn(o.msisdn))[0]
    )
    fingerprint_key = factory.LazyFunction(conf.fingerprint_key_id)
    country = "GB"
    state_digest = factory.LazyAttribute(lambda o: digest(o.state))
    device_digest = factory.LazyAttribute(lambda o: digest(o.binding))
    holder_digest = factory.LazyAttribute(lambda o: digest(o.binding))
    created_at = factory.LazyFunction(timezone.now)
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(minutes=5))


KEY = "3132333435363738393031323334353637383930"  # of RFC 6238's own examples
PAPER = "0123-4567-89AB-CDEF"


class AuthenticatorFactory(factory.django.DjangoModelFactory):
    """An authenticator app on file."""

    class Meta:
        model = TOTPDevice

    user = factory.SubFactory(UserFactory)
    name = "app"
    key = KEY


class RecoveryCodeFactory(factory.django.DjangoModelFactory):
    """One code on paper, `code`."""

    class Meta:
        model = RecoveryCode

    class Params:
        code = PAPER

    user = factory.SubFactory(UserFactory)
    digest = factory.LazyAttribute(
        lambda o: conf.code_digests(f"recovery:{o.user.pk}:{o.code.replace('-', '')}")[
            0
        ]
    )


class ManualRequestFactory(factory.django.DjangoModelFactory):
    """Asked for by a member of staff, at the row of a person who waits."""

    class Meta:
        model = ManualRequest

    verification = factory.SubFactory(
        VerificationFactory,
        method=Method.MANUAL,
        purpose=Purpose.LOGIN,
        operator="",
        number="",
        nonce="",
        user=factory.SubFactory(UserFactory),
    )
    asked_by = factory.SubFactory(UserFactory, is_staff=True)
    reason = "Lost the phone"
    evidence = "Came to the branch with a passport"


class NumberReleaseFactory(factory.django.DjangoModelFactory):
    """Asked for by a member of staff, long enough ago to be approved."""

    class Meta:
        model = NumberRelease

    class Params:
        msisdn = ANN

    person = factory.SubFactory(UserFactory, phone=ANN)
    number_mask = factory.LazyAttribute(lambda o: str(Msisdn(o.msisdn)))
    number_fingerprint = factory.LazyAttribute(
        lambda o: conf.fingerprints(Msisdn(o.msisdn))[0]
    )
    fingerprint_key = factory.LazyFunction(conf.fingerprint_key_id)
    reason = NumberRelease.Reason.LOST
    evidence = "Came to the branch with a passport"
    asked_by = factory.SubFactory(UserFactory, is_staff=True)
    asked_at = factory.LazyFunction(lambda: timezone.now() - timedelta(hours=25))
