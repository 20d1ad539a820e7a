"""Which browser, where and when, in words."""

from datetime import UTC, datetime

import pytest
import time_machine

from accounts import places

SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0"
IPHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) {SAFARI}"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (
            "Mozilla/5.0 (Android 14; Mobile; rv:130.0) Gecko/130.0 Firefox/130.0",
            "Firefox on Android",
        ),
        (
            f"Mozilla/5.0 (Linux; Android 10; K) {CHROME} Mobile Safari/537.36",
            "Chrome on Android",
        ),
        (
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
            "SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36",
            "Samsung Internet on Android",
        ),
        (f"{IPHONE} Version/17.5 Mobile/15E148 Safari/604.1", "Safari on iOS"),
        (f"{IPHONE} CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1", "Chrome on iOS"),
        (f"{IPHONE} FxiOS/127.0 Mobile/15E148 Safari/605.1.15", "Firefox on iOS"),
        (
            f"{WINDOWS} {CHROME} Safari/537.36 Edg/126.0.0.0",
            "Microsoft Edge on Windows",
        ),
        (f"{WINDOWS} {CHROME} Safari/537.36 OPR/111.0.0.0", "Opera on Windows"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) "
            f"{SAFARI} Version/17.4 Safari/605.1.15",
            "Safari on macOS",
        ),
        (
            "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:127.0) Gecko/20100101 "
            "Firefox/127.0",
            "Firefox on Ubuntu",
        ),
        (
            f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {CHROME} Safari/537.36",
            "Chrome on ChromeOS",
        ),
        ("Mozilla/5.0 (Windows NT 10.0)", "Unknown browser on Windows"),
        ("curl/8.5.0", "curl"),
        ("", "Unknown browser"),
        ("x" * 256, "Unknown browser"),
        ("<script>alert(1)</script>", "Unknown browser"),
        ("\\r\\nSet-Cookie: a=b", "Unknown browser"),
    ],
)
def test_a_browser_is_named_as_far_as_it_tells(agent, words):
    assert places.browser_in_words(agent) == words


@pytest.mark.parametrize(
    ("ip", "country", "words"),
    [
        ("81.2.69.142", "GB", "United Kingdom"),
        ("2a00:1450:4009::1", "IE", "Ireland"),
        ("127.0.0.1", "", "place not known"),
        ("10.0.0.1", "", "place not known"),
        ("100.64.1.1", "", "place not known"),
        ("203.0.113.5", "", "place not known"),
        ("::1", "", "place not known"),
        ("not an address", "", "place not known"),
        (None, "", "place not known"),
    ],
)
def test_a_place_is_the_country_of_the_address(ip, country, words):
    assert places.country_of(ip) == country
    assert places.place(country) == words


def test_a_code_that_no_country_has_is_not_known():
    assert places.place("ZZ") == "place not known"


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (datetime(2026, 3, 5, 0, 0, tzinfo=UTC), "today, 00:00"),
        (datetime(2026, 3, 5, 14, 32, tzinfo=UTC), "today, 14:32"),
        (datetime(2026, 3, 4, 23, 59, tzinfo=UTC), "yesterday, 23:59"),
        (datetime(2026, 3, 3, 23, 59, tzinfo=UTC), "3 March 2026, 23:59"),
        (datetime(2025, 3, 5, 14, 32, tzinfo=UTC), "5 March 2025, 14:32"),
    ],
)
@time_machine.travel(datetime(2026, 3, 5, 15, 0, tzinfo=UTC), tick=False)
def test_a_moment_is_said_in_words(moment, words):
    assert places.when(moment) == words
