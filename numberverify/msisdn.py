"""Phone numbers: read as people type them, kept as E.164, shown masked."""

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberType

E164 = re.compile(r"\+[1-9][0-9]{4,14}")
# In what staff type: a phone number, or a passport's or a card's.
LONG_NUMBER = re.compile(r"(?:\d[\s().]*){7}")
# What libphonenumber knows to be no mobile line. "Unknown" stays allowed, since its
# tables lag behind real ranges and the operator is the authority.
NOT_MOBILE = {
    PhoneNumberType.FIXED_LINE,
    PhoneNumberType.TOLL_FREE,
    PhoneNumberType.PREMIUM_RATE,
    PhoneNumberType.SHARED_COST,
    PhoneNumberType.VOIP,
    PhoneNumberType.PERSONAL_NUMBER,
    PhoneNumberType.PAGER,
    PhoneNumberType.UAN,
    PhoneNumberType.VOICEMAIL,
}


class NotANumber(ValueError):
    """What was typed cannot be a phone number."""


class NotMobile(ValueError):
    """The number is known to be no mobile line."""


@dataclass(frozen=True, slots=True)
class Msisdn:
    """A phone number in E.164 form: "+", then 5 to 15 digits, no spaces."""

    e164: str = field(repr=False)

    def __post_init__(self) -> None:
        if not E164.fullmatch(self.e164):
            # The value stays out of the message: messages end up in logs.
            raise ValueError("phone number is not in E.164 form")

    def __str__(self) -> str:
        """Return the number masked, like `+44 •••• •••123`."""
        return f"+{self.calling_code} •••• •••{self.e164[-3:]}"

    @property
    def calling_code(self) -> str:
        """Like `44`, or "" when libphonenumber does not know it."""
        number = self._parsed()
        return str(number.country_code) if number else ""

    @property
    def countries(self) -> tuple[str, ...]:
        """The number's region and its calling code's main region (ISO 3166 codes).

        The first is `Verification.country`. An operator serves the number when
        it serves either: Jersey's numbers are also in the United Kingdom's range.
        Empty when libphonenumber does not know the calling code.
        """
        return _countries(self.e164)

    def _parsed(self) -> phonenumbers.PhoneNumber | None:
        return _parsed(self.e164)


# Each number is asked about several times in a request. The last few stay in memory.
@lru_cache(maxsize=64)
def _parsed(e164: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return None


@lru_cache(maxsize=64)
def _countries(e164: str) -> tuple[str, ...]:
    number = _parsed(e164)
    if number is None or number.country_code is None:
        return ()
    main = phonenumbers.region_code_for_country_code(number.country_code)
    return with_main_region(phonenumbers.region_code_for_number(number) or main)


def with_main_region(region: str) -> tuple[str, ...]:
    """Return the region and its calling code's main one, as `Msisdn.countries` does."""
    calling_code = phonenumbers.country_code_for_region(region)
    main = phonenumbers.region_code_for_country_code(calling_code)
    return tuple(dict.fromkeys((region, main if calling_code else region)))


def parse(typed: str, *, region: str) -> Msisdn:
    """Read a mobile number as typed; without a country code it is in `region`.

    Raise NotANumber or NotMobile. `is_possible_number`, not `is_valid_number`:
    so Ofcom's drama numbers (07700 900000 to 900999) pass.
    """
    # Arabic-Indic or full-width digits are digits; letters are not (a "vanity" number).
    if len(typed) > 40 or any(character.isalpha() for character in typed):
        raise NotANumber
    try:
        number = phonenumbers.parse(typed, region)
    except phonenumbers.NumberParseException as error:
        raise NotANumber from error
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    # "Possible" in whole: one that can only be dialled from next door is none.
    possible = phonenumbers.is_possible_number_with_reason(number)
    if number.extension or possible != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise NotANumber
    if not E164.fullmatch(e164):
        raise NotANumber
    if phonenumbers.number_type(number) in NOT_MOBILE:
        raise NotMobile
    return Msisdn(e164)


def sha256_hex(msisdn: Msisdn, *, plus: bool = True) -> str:
    """Return the lower-case hex SHA-256 of the number, 64 characters.

    The hash is an encoding that operators ask for, not a protection: all numbers
    of a country can be hashed in minutes, so treat the result as the number.

    Source: CAMARA Number Verification 2.1, `hashedPhoneNumber` ("+" included);
    Mobile Connect leaves the "+" open.
    """
    text = msisdn.e164 if plus else msisdn.e164[1:]
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def fingerprint(msisdn: Msisdn, key: str) -> bytes:
    """Return HMAC-SHA-256 cut to 16 bytes: it finds a number and does not hold it."""
    return hmac.digest(key.encode(), msisdn.e164.encode("ascii"), "sha256")[:16]
