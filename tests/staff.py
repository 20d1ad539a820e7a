"""Members of staff, and how they confirm what they are about to do."""

from django.contrib.auth.models import Permission

from tests.factories import ANN, UserFactory

DESK = ANN  # the number of whoever is at the desk


def permitted(user, *names):
    """Give the user these permissions, each named `app.codename`."""
    for name in names:
        app, _, codename = name.partition(".")
        found = Permission.objects.get(content_type__app_label=app, codename=codename)
        user.user_permissions.add(found)
    return user


def at_desk(browser, *names, **columns):
    """Sign in somebody of the staff with these permissions."""
    user = permitted(UserFactory(is_staff=True, **{"phone": DESK} | columns), *names)
    browser.force_login(user)
    return user


def confirmed(browser, operator, page, **fields):
    """Send the form of `page` up to the page that asks, prove it by the network, and
    return the form that comes back."""
    asked = browser.submit(page, **fields)
    assert "Confirm it's you" in asked.text, asked.text
    said = {"confirmed": asked.context["confirmed"]}
    started = browser.submit(asked.context["confirm_at"], page=page, **said)
    return browser.follow(browser.come_back(operator, started))


def done(browser, operator, page, **fields):
    """The same, and send the form once more."""
    confirmed(browser, operator, page, **fields)
    return browser.submit(page, **fields)
