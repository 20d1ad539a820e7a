from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import authenticate, password_validation
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from numberverify import limits, msisdn
from numberverify.msisdn import Msisdn
from numberverify.widgets import PasswordInput
from numberverify.windows import Taken

from . import signin, tries
from .models import Device, User

NOT_A_NUMBER = _("Enter a mobile phone number, like 07700 900 982 or +33 6 39 98 12 34")

PASSWORD_RULES = _(
    "At least 8 characters; no common one, not your e-mail, not digits alone."
)


class PhoneField(forms.CharField):
    """A mobile number as people type it; cleans to an Msisdn."""

    def __init__(self) -> None:
        attributes = {
            "type": "tel",
            "autocomplete": "tel",
            "inputmode": "tel",
            "spellcheck": "false",
            "size": "20",
        }
        super().__init__(
            label=_("Mobile phone number"),
            help_text=_(
                "We'll check it with your mobile network. "
                "For international numbers include the country code."
            ),
            widget=forms.TextInput(attrs=attributes),
            error_messages={"required": _("Enter a mobile phone number")},
        )

    def clean(self, value: Any) -> Msisdn:
        typed = super().clean(value)
        try:
            return msisdn.parse(typed, region=settings.NV_DEFAULT_REGION)
        except msisdn.NotANumber:
            raise ValidationError(NOT_A_NUMBER, code="invalid") from None
        except msisdn.NotMobile:
            raise ValidationError(
                _("Enter a mobile number: this one is a landline or a service number"),
                code="not_mobile",
            ) from None


class EmailField(forms.EmailField):
    """An e-mail address; cleans to lower case."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            label=_("E-mail address"),
            max_length=254,
            widget=forms.EmailInput(
                attrs={"autocomplete": "email", "spellcheck": "false"} | options
            ),
            error_messages={
                "required": _("Enter your e-mail address"),
                "invalid": _("Enter an e-mail address, like name@example.com"),
            },
        )

    def clean(self, value: Any) -> str:
        # Lower case first: it may be longer, and the column has an end.
        cleaned: str = super().clean(User.objects.normalize_email(value))
        return cleaned


def check_own_password(user: User, typed: str, if_wrong: Any) -> None:
    """Look whether somebody who is signed in knows the password, within the limits."""
    taken = limits.before_own_password(user)
    if not user.check_password(typed):
        raise ValidationError(if_wrong, code="wrong")
    limits.hand_back(taken)


def password_field(label: Any, help_text: Any = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        strip=False,
        help_text=help_text,
        max_length=4096,
        widget=PasswordInput("new-password"),
        error_messages={"required": _("Enter a password")},
    )


class PasswordPair(forms.Form):
    """A new password, typed twice into the two fields that `pair` names."""

    pair = ("new_password1", "new_password2")

    def person(self) -> User:
        """Whose password it is to be: it must not resemble them."""
        raise NotImplementedError

    def clean(self) -> None:
        super().clean()
        first, second = (self.cleaned_data.get(name) for name in self.pair)
        if not first:
            return
        try:
            password_validation.validate_password(first, self.person())
        except ValidationError as error:
            self.add_error(self.pair[0], error)
        if second and first != second:
            self.add_error(self.pair[1], _("The two passwords are not the same"))


class SignupForm(PasswordPair):
    email = EmailField()
    phone = PhoneField()
    password1 = password_field(_("Password"), PASSWORD_RULES)
    password2 = password_field(_("Password again"))

    pair = ("password1", "password2")

    def person(self) -> User:
        return User(email=self.cleaned_data.get("email", ""))


class NewPasswordForm(PasswordPair):
    new_password1 = password_field(_("New password"), PASSWORD_RULES)
    new_password2 = password_field(_("New password again"))

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        self.user = user
        super().__init__(*args, **kwargs)

    def person(self) -> User:
        return self.user


class ChangePasswordForm(NewPasswordForm):
    old_password = forms.CharField(
        label=_("Old password"),
        strip=False,
        max_length=4096,
        widget=PasswordInput("current-password"),
        error_messages={"required": _("Enter your old password")},
    )

    field_order = ("old_password", "new_password1", "new_password2")

    def clean_old_password(self) -> str:
        old: str = self.cleaned_data["old_password"]
        check_own_password(self.user, old, _("That is not your old password"))
        return old


class LoginForm(forms.Form):
    username = EmailField(autofocus=True, autocomplete="username")
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=4096,
        widget=PasswordInput("current-password"),
        error_messages={"required": _("Enter your password")},
    )

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        self.request = request
        self.user: User | None = None
        self.tries = Taken()  # to be handed back: the password was right
        self.device: Device | None = None  # this browser, if looked up already
        super().__init__(*args, **kwargs)

    def clean(self) -> None:
        """Check the password. ModelBackend hashes once for an unknown e-mail too."""
        super().clean()
        if self.errors:
            return
        email = self.cleaned_data["username"]
        token = self.request.COOKIES.get(signin.cookie_name(), "")
        taken, device = tries.before_password(self.request, email, token)
        user = authenticate(
            self.request,
            username=email,
            password=self.cleaned_data["password"],
        )
        if not isinstance(user, User):
            raise ValidationError(
                _("The e-mail address or the password is not right"), code="invalid"
            )
        self.user, self.tries, self.device = user, taken, device


class CloseForm(forms.Form):
    sure = forms.BooleanField(
        label=_("Yes, delete my account and what is known of me"),
        error_messages={"required": _("Tick the box if you are sure")},
    )


class PhoneForm(forms.Form):
    phone = PhoneField()


class FirstPhoneForm(PhoneForm):
    """For who has nothing else to prove with: a session alone must not put a way in
    on file. Who has just logged in has shown the password already."""

    password = forms.CharField(
        label=_("Your password"),
        strip=False,
        max_length=4096,
        widget=PasswordInput("current-password"),
        error_messages={"required": _("Enter your password")},
    )

    def __init__(
        self, user: User, *args: Any, asks_password: bool = True, **kwargs: Any
    ) -> None:
        self.user = user
        super().__init__(*args, **kwargs)
        if not asks_password:
            del self.fields["password"]

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        check_own_password(self.user, password, _("That is not your password"))
        return password


class EmailForm(forms.Form):
    email = EmailField()
