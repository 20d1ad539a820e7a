"""How is it going? Answered by somebody who uses no mouse, on both screens."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from playwright.sync_api import expect

from numberverify import seal
from numberverify.choices import Purpose, Reason
from tests.factories import ANN, UserFactory
from tests.numberverify.history import HISTORY
from tests.numberverify.seal.past import begun

from .keyboard import Keyboard

pytestmark = pytest.mark.browser
OVERVIEW = f"{HISTORY}overview/"
WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
# Words of a picture that reach beyond what is seen of it.
CUT = """() => [...document.querySelectorAll("svg.chart")].flatMap(svg => {
  const edge = svg.getBoundingClientRect();
  return [...svg.querySelectorAll("text")].filter(text => {
    const box = text.getBoundingClientRect();
    return box.width && (box.right > edge.right + 1 || box.left < edge.left - 1);
  }).map(text => text.textContent);
})"""


def past():
    timeout = {"unavailable": True, "reason": Reason.OPERATOR_TIMEOUT}
    for days in (1, 2, 3, 8):
        ago = timedelta(days=days)
        begun(ago, operator="sandbox", operator_ms=300)
        begun(ago, operator="sandbox", mismatched=True, operator_ms=350)
        begun(ago, operator="sandbox", operator_ms=12_000, **timeout)
        begun(ago, operator="sandbox", purpose=Purpose.LOGIN, operator_ms=40)
    seal.seal_due()


def auditor(browser):
    past()
    staff = UserFactory(is_staff=True, phone=ANN)
    view = Permission.objects.get(codename="view_verification")
    staff.user_permissions.add(view)
    browser.become(staff)
    browser.open(HISTORY)
    return browser


def test_from_the_list_to_a_figure_and_to_its_rows_by_keyboard(desk):
    page, keys = auditor(desk).page, Keyboard(desk.page)

    keys.tab_to(page.get_by_role("link", name="Overview: the history in numbers"))
    keys.press("Enter")
    page.wait_for_url("**/overview/")
    desk.sees("Overview")
    keys.tab_to(page.get_by_label("Period"))
    keys.types("Last 7", "Enter")
    keys.tab_to(page.get_by_role("button", name="Show"))
    keys.press("Enter")
    page.wait_for_url("**period=week**")

    summary = page.get_by_text("Outcomes over time: all figures")
    expect(summary).to_have_count(0)  # seven rows need no fold
    table = page.get_by_role("table", name="Could not tell, by reason")
    row = table.get_by_role("row", name="operator took too long")
    expect(row.get_by_role("cell").first).to_have_text("3")
    expect(row.get_by_role("cell").nth(2)).to_have_text("25.0 %")
    keys.tab_to(row.get_by_role("link"))
    keys.press("Enter")
    page.wait_for_url("**reason=operator_timeout**")
    expect(page.locator(".history-rows tbody tr")).to_have_count(3)


def test_what_is_folded_opens_by_a_key(desk):
    page, keys = auditor(desk).page, Keyboard(desk.page)
    desk.open(OVERVIEW)
    table = page.get_by_role("table", name="Outcomes over time, by when")

    expect(table).to_be_hidden()
    keys.tab_to(page.get_by_text("Outcomes over time: all figures"))
    keys.press("Enter")

    expect(table.get_by_role("row")).to_have_count(31)


def test_a_screen_reader_finds_pictures_by_name_and_words(desk):
    page = auditor(desk).page
    desk.open(OVERVIEW)

    picture = page.get_by_role("img", name="Could not tell, by reason")
    said = picture.locator("desc").text_content()
    assert said == "operator took too long: 4 · 100.0 %"
    expect(page.get_by_role("img")).to_have_count(7)  # no fallback was used
    headings = page.get_by_role("heading", level=2).all_inner_texts()
    assert headings[0] == "Outcomes over time"
    assert headings[-1].lower() == "filter"
    expect(page.locator("[aria-current=page]")).to_have_text("Overview")


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_words_are_within_the_screen(new_phone, width, scheme):
    browser = auditor(new_phone({"width": width, "height": 740}))
    browser.page.emulate_media(color_scheme=scheme)
    for asked in ("", "?period=year&by=day", "?period=day"):
        browser.open(OVERVIEW + asked)

        assert not browser.page.evaluate(WIDER)
        assert browser.page.evaluate(CUT) == []


def test_colours_are_not_black_and_differ_by_scheme(desk):
    """The page's policy and its style sheet let patterns have their colours."""
    page = auditor(desk).page
    desk.open(OVERVIEW)
    fill = "getComputedStyle(document.querySelector('.kind-verified')).fill"
    seen = set()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        seen.add(page.evaluate(fill))

    assert len(seen) == 2
    assert "rgb(0, 0, 0)" not in seen


def test_a_mistake_is_told_by_its_field(desk):
    auditor(desk)
    desk.open(f"{OVERVIEW}?since=2026-05-02&until=2026-05-01&period=fortnight")

    expect(desk.page.get_by_role("alert")).to_contain_text("It ends before it begins")
    desk.page.get_by_role("link", name="Period").click()
    expect(desk.page.get_by_label("Period")).to_be_visible()
    desk.sees("Overview")
    expect(desk.page.get_by_role("img").first).to_be_visible()
