"""Cut-points: what may be built, how they read, and where they come from."""

import math

import pytest

from analysis import Cutpoints, InputError, clinical_cutpoints

SOURCE = "our laboratory"


@pytest.mark.parametrize(
    ("edges", "labels", "options", "message"),
    [
        ((0.95, 0.75), ("a", "b", "c"), {}, r"edges 0.95, 0.75 must increase"),
        ((0.75, 0.75), ("a", "b", "c"), {}, r"edges 0.75, 0.75 must increase, each given once"),
        ((math.nan,), ("a", "b"), {}, r"edges must be finite numbers, got nan"),
        ((0.75, math.inf), ("a", "b", "c"), {}, r"finite numbers, got inf"),
        (("0.75",), ("a", "b"), {}, r"finite numbers, got '0.75'"),
        ((True,), ("a", "b"), {}, r"finite numbers, got True"),
        ((), ("all",), {}, r"no edges"),
        ((0.75,), ("low", "mid", "high"), {}, r"1 edge make 2 groups, but there are 3 labels"),
        ((0.75, 0.95), ("low", "high"), {}, r"2 edges make 3 groups, but there are 2 labels"),
        ((0.75,), "low", {}, r"there are 1 labels"),
        ((0.75,), ("low", "low"), {}, r"labels must differ, 'low'"),
        ((0.75,), ("low", " "), {}, r"labels must be text, got ' '"),
        ((0.75,), (0, 1), {}, r"labels must be text, got 0, 1"),
        ((0.75,), ("low", "high"), {"source": " "}, r"source is empty"),
        (
            (0.75,),
            ("low", "high"),
            {"rule": "guess"},
            r"rule='guess'; choose one of 'clinical', 'quantile', 'searched'",
        ),
        ((0.75,), ("low", "high"), {"closed": "both"}, r"closed='both'; choose one of 'left', 'right'"),
    ],
)
def test_unfit_cutpoints_say_what_is_wrong(edges, labels, options, message):
    with pytest.raises(InputError, match=message):
        Cutpoints(edges, labels, **({"source": SOURCE} | options))


def test_all_faults_are_told_at_once():
    with pytest.raises(InputError, match="must increase") as caught:
        Cutpoints((2, 1), ("a", "a"), source="", closed="both")
    assert len(caught.value.problems) == 5


def test_lists_and_whole_numbers_are_taken():
    cut = Cutpoints([1, 2], ["a", "b", "c"], source=SOURCE)
    assert cut == Cutpoints((1.0, 2.0), ("a", "b", "c"), source=SOURCE)
    assert hash(cut)


@pytest.mark.parametrize(
    ("closed", "spans"),
    [("left", ("< 1", "1 to < 2.5", "≥ 2.5")), ("right", ("≤ 1", "> 1 to 2.5", "> 2.5"))],
)
def test_intervals_say_where_an_edge_belongs(closed, spans):
    assert Cutpoints((1, 2.5), ("a", "b", "c"), source=SOURCE, closed=closed).intervals() == spans


@pytest.mark.parametrize(
    ("edges", "first"),
    [
        ((10 / 24.305 * 1.7,), "< 0.6994"),
        ((0.10001, 0.10002), "< 0.10001"),
        ((123456.7,), "< 123500"),
        ((1e-7,), "< 0.0000001"),
    ],
)
def test_intervals_show_four_digits_or_as_many_as_tell_edges_apart(edges, first):
    labels = tuple("abc"[: len(edges) + 1])
    assert Cutpoints(edges, labels, source=SOURCE).intervals()[0] == first


@pytest.mark.parametrize(
    ("name", "edges", "labels", "unit", "rule", "source"),
    [
        ("nhanes-1", (0.75, 0.95), ("low", "reference", "high"), "mmol/L", "clinical", "28140318"),
        ("rcpa-aacb", (0.70, 1.10), ("low", "reference", "high"), "mmol/L", "clinical", "RCPA"),
        ("mayo", (1.7,), ("low", "not low"), "mg/dL", "clinical", "10.1038/s41408-021-00452-0"),
        ("ejc-2024", (0.79,), ("lower", "higher"), "mmol/L", "searched", "39489925"),
    ],
)
def test_published_cutpoints(name, edges, labels, unit, rule, source):
    cut = clinical_cutpoints(name)
    assert (cut.edges, cut.labels, cut.unit, cut.rule, cut.closed) == (edges, labels, unit, rule, "left")
    assert source in cut.source


def test_the_default_is_the_reference_interval_of_nhanes():
    assert clinical_cutpoints() is clinical_cutpoints("nhanes-1")


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(InputError, match=r"no clinical cut-points 'nhanes'; choose one of 'nhanes-1', 'rcpa-aacb'"):
        clinical_cutpoints("nhanes")


def test_another_unit_keeps_everything_but_the_edges():
    mayo = clinical_cutpoints("mayo")
    converted = mayo.to_unit("mmol/L")
    assert converted.edges == pytest.approx((1.7 * 10 / 24.305,), rel=1e-15)
    assert (converted.labels, converted.closed, converted.unit) == (mayo.labels, mayo.closed, "mmol/L")
    assert converted.source.endswith("(given as 1.7 mg/dL)")
    assert mayo.to_unit("mEq/L").edges == pytest.approx((2 * 17 / 24.305,), rel=1e-15)
    assert mayo.to_unit("mg/dL") is mayo


def test_only_magnesium_units_convert():
    with pytest.raises(InputError, match=r"unit='U/L' is no unit of magnesium"):
        Cutpoints((250,), ("a", "b"), unit="U/L", source=SOURCE).to_unit("mmol/L")
    with pytest.raises(InputError, match=r"to='g/L' is no unit of magnesium"):
        clinical_cutpoints().to_unit("g/L")
