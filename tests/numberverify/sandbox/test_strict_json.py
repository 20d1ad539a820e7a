import pytest

from numberverify.sandbox import strict_json


def test_what_is_json_is_read():
    raw = ' {"a": [1, 2.5, true, null, "é \\u00e9 \\ud83d\\ude00"]} '.encode()

    assert strict_json.parse(raw) == {"a": [1, 2.5, True, None, "é é 😀"]}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"{} {}",
        b"{'a': 1}",
        b"[1,]",
        b"NaN",
        b"[Infinity]",
        b'{"a": -Infinity}',
        b'{"a": 1, "a": 1}',
        b'[{"b": {"a": 1, "a": 2}}]',
        b'"\\ud800"',
        b'{"\\udfff": 1}',
        b"\xff",
        b"\xef\xbb\xbf{}",
        '{"a": 1}'.encode("utf-16"),
        b"[" * 100_000,
        b"1" * 5000,
    ],
    ids=lambda raw: repr(raw)[:30],
)
def test_what_is_not_quite_json_is_refused(raw):
    with pytest.raises(ValueError, match=r"."):
        strict_json.parse(raw)
