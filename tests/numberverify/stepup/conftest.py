import pytest
from django.conf import settings as project

from tests.factories import ANN, PASSWORD, DeviceFactory, UserFactory

from . import site


@pytest.fixture(autouse=True)
def _site(settings):
    settings.NV_STEP_UP = project.NV_STEP_UP | site.TABLE
    settings.ROOT_URLCONF = site.__name__
    site.done.clear()


@pytest.fixture
def ann(operator):
    user = UserFactory(email="ann@example.com", phone=ANN)
    DeviceFactory(user=user)
    return user


@pytest.fixture
def signed_in(browser, ann):
    """Ann's browser, known and with a recent proof: no check just now."""
    browser.cookies["nv_known"] = "known browser"
    browser.submit("/accounts/login/", username=ann.email, password=PASSWORD)
    return browser
