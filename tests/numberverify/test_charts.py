"""Pictures: whole XML whatever the figures are, readable without colour."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numberverify.history import charts
from numberverify.history.charts import Bar, Bars, Points, Stack

SVG = "{http://www.w3.org/2000/svg}"
KINDS = list(charts.MARKS)
numbers = st.one_of(st.integers(0, 50), st.integers(0, 10**30))
words = st.text(max_size=20)
parts = st.lists(st.tuples(st.sampled_from(KINDS), numbers), max_size=5)


def drawn(picture):
    assert "style=" not in picture
    assert "<script" not in picture
    return ElementTree.fromstring(str(picture))


def texts(picture):
    return [each.text for each in drawn(picture).iter(f"{SVG}text")]


def heights(picture):
    return [float(each.get("height")) for each in drawn(picture).iter(f"{SVG}rect")]


@given(
    words,
    words,
    st.lists(st.builds(Stack, words, parts), max_size=8),
    st.floats(0, 1),
)
def test_columns_are_a_named_and_described_picture(name, said, columns, counted):
    picture = drawn(charts.stacks(name, said, columns, counted=counted))

    assert picture.get("role") == "img"
    assert [each.tag for each in picture][:2] == [f"{SVG}title", f"{SVG}desc"]
    for rect in picture.iter(f"{SVG}rect"):
        assert float(rect.get("height")) >= 1
        # A thousand pixels high is no column of this picture.
        assert float(rect.get("y")) >= charts.TOP - 5


@given(st.lists(st.builds(Bars, words, st.lists(st.builds(Bar, parts, words)))))
def test_bars_stay_within_their_picture(groups):
    picture = drawn(charts.bars("name", "words", groups))

    for rect in picture.iter(f"{SVG}rect"):
        end = float(rect.get("x")[:-1]) + float(rect.get("width")[:-1])
        assert end <= charts.WIDEST + 0.01
    assert len(list(picture.iter(f"{SVG}text"))) == sum(1 + len(g.bars) for g in groups)


values = st.one_of(st.none(), st.floats(0, 1e9))


@given(st.lists(st.tuples(values, values), max_size=30))
def test_lines_are_whole_whatever_is_missing(pairs):
    series = [
        Points("median", [one for one, _ in pairs]),
        Points("p95", [two for _, two in pairs]),
    ]

    picture = drawn(charts.lines("name", "words", ["a"] * len(pairs), series))

    known = sum(value is not None for pair in pairs for value in pair)
    assert len(list(picture.iter(f"{SVG}circle"))) == known


def test_a_line_has_a_gap_where_nothing_is_known():
    series = [Points("p95", [100.0, 200.0, None, 300.0])]

    picture = drawn(charts.lines("name", "words", list("abcd"), series))

    found = [e for e in picture.iter(f"{SVG}line") if "line-p95" in e.get("class")]
    assert len(found) == 1


def test_the_height_of_a_column_is_its_share_of_the_axis():
    picture = charts.stacks(
        "n", "w", [Stack("one", [("verified", 10), ("mismatched", 5)])]
    )

    assert texts(picture)[:3].count("20") == 1
    half, quarter = heights(picture)
    assert half == (charts.BOTTOM - charts.TOP) / 2
    assert quarter == half / 2


def test_one_among_a_million_can_be_seen():
    picture = charts.stacks(
        "n", "w", [Stack("one", [("verified", 10**6), ("refused", 1)])]
    )

    assert min(heights(picture)) == 1


def test_what_is_not_counted_yet_is_framed():
    picture = charts.stacks("n", "w", [Stack("one", [])] * 4, counted=0.75)

    frame = next(e for e in drawn(picture).iter(f"{SVG}rect"))
    assert (frame.get("class"), frame.get("x"), frame.get("width")) == (
        "uncounted",
        "75.000%",
        "25.000%",
    )
    assert "uncounted" not in charts.stacks("n", "w", [Stack("one", [])])


def test_a_bar_of_a_share_is_that_share_of_the_longest_there_can_be():
    groups = [Bars("GB", [Bar([("unavailable", 0.25)], "25.0 % of 4")])]

    rect = next(drawn(charts.bars("n", "w", groups, whole=1)).iter(f"{SVG}rect"))

    assert rect.get("width") == f"{charts.WIDEST / 4:.3f}%"


def test_every_kind_has_a_pattern_of_its_own():
    found = drawn(charts.patterns()).iter(f"{SVG}pattern")
    by_id = {each.get("id"): each.find(f"{SVG}path").get("d") for each in found}

    assert list(by_id) == [f"nv-{kind}" for kind in KINDS]
    endings = [d for name, d in by_id.items() if name not in ("nv-median", "nv-p95")]
    assert len(set(endings)) == 5
    assert by_id["nv-median"] != by_id["nv-p95"]


def test_a_swatch_shows_the_pattern_and_is_not_read_out():
    picture = drawn(charts.swatch("refused"))

    assert picture.get("aria-hidden") == "true"
    assert picture.find(f"{SVG}rect").get("fill") == "url(#nv-refused)"


@pytest.mark.parametrize(
    ("most", "top"),
    [(0, 1), (1, 1), (2, 2), (3, 4), (5, 6), (7, 10), (10, 10), (11, 20), (401, 600)],
)
def test_an_axis_ends_at_a_round_number(most, top):
    assert charts.nice(most) == top


@given(st.integers(1, 10**40))
def test_an_axis_is_not_far_above_what_it_shows(most):
    assert most <= charts.nice(most) <= 2 * most


def test_an_axis_of_time_says_its_unit():
    def axis(most):
        return texts(charts.lines("n", "w", ["a"], [Points("median", [most])]))

    assert {"600 ms", "300 ms", "0 ms"} <= set(axis(450.0))
    assert {"2 s", "1 s"} <= set(axis(1400.0))


def test_an_axis_names_few_columns_and_the_first():
    names = [f"c{n}" for n in range(365)]

    found = texts(charts.stacks("n", "w", [Stack(name, []) for name in names]))

    said = [each for each in found if each in names]
    assert said[0] == "c0"
    assert len(said) <= charts.AXIS


def test_words_are_escaped_and_nothing_in_them_breaks_the_picture():
    picture = charts.bars("<b>&", 'a "b"\x00', [Bars("<i>\x1b", [])])

    assert drawn(picture).find(f"{SVG}title").text == "<b>&"
    assert texts(picture) == ["<i>�"]
