"""The figures on confounding, read off their axes: at both widths, without collisions, and what they refuse."""

import numpy as np
import pandas as pd
import pytest

from analysis import (
    ONE_COLUMN,
    TWO_COLUMNS,
    InputError,
    breaks_for,
    plot_adjusted,
    plot_balance,
    plot_confounder_bias,
    plot_overlap,
)

PAIRS = [("low", "reference"), ("low", "high"), ("reference", "high")]
NAMES = ["Tumour burden, per doubling", "C-reactive protein, per doubling", "Age (years)", "ppi"]
BALANCE = pd.DataFrame(
    [
        (name, a, b, (-1) ** row * (0.9 - 0.2 * row), 0.03 * row)
        for row, name in enumerate(NAMES)
        for a, b in PAIRS
    ],
    columns=["covariate", "stratum_a", "stratum_b", "difference", "weighted_difference"],
)  # fmt: skip
STRENGTHS = np.linspace(1, 4, 31)


def bias(ratio):
    """What a confounder of each strength leaves of a ratio, by the formula."""
    rows = [(a, b, ratio * (a + b - 1) / (a * b)) for a in STRENGTHS for b in STRENGTHS]
    return pd.DataFrame(rows, columns=["with_exposure", "with_outcome", "risk_ratio"])


def overlap():
    rng = np.random.default_rng(1)
    parts = [
        pd.DataFrame(
            {"stratum": name, "member": np.arange(80) < 30, "probability": rng.beta(2 + 2 * (np.arange(80) < 30), 4)}
        )
        for name in ("low", "reference", "high")
    ]
    table = pd.concat(parts, ignore_index=True)
    return table.assign(stratum=pd.Categorical(table["stratum"], categories=["low", "reference", "high"]))


@pytest.fixture
def draw(make_curves, make_risk):
    def drawn(name, **options):
        curves = make_curves(["low", "reference", "high"])
        crude = curves.assign(survival=curves["survival"] ** 1.3)
        truth = curves[["stratum", "time", "survival"]]
        return {
            "balance": lambda: plot_balance(BALANCE, **options),
            "overlap": lambda: plot_overlap(overlap(), **options),
            "bias": lambda: plot_confounder_bias(
                bias(1.34), limit=bias(1.1), e_values=[("E-value", 2.01), ("of the limit", 1.43)], **options
            ),
            "adjusted": lambda: plot_adjusted(
                curves, crude, risk=make_risk(curves, breaks_for(48, "months")), truth=truth, **options
            ),
        }[name]()

    return drawn


@pytest.mark.parametrize("width", [ONE_COLUMN, TWO_COLUMNS])
@pytest.mark.parametrize("name", ["balance", "overlap", "bias", "adjusted"])
def test_no_words_collide_at_either_width(name, width, draw, collisions):
    figure = draw(name, width=width, title="A title", subtitle="and what it rests on", synthetic=True)
    assert collisions(figure) == []
    assert figure.get_figwidth() * 25.4 == pytest.approx(width)


@pytest.mark.parametrize("pairs", [1, None])
def test_a_balance_without_any_difference_still_names_its_covariates(pairs):
    """Of strata of one patient each there is no variance to standardise by."""
    without, names = BALANCE.copy(), ["difference", "weighted_difference"]
    without.loc[without["stratum_b"].isin(without["stratum_b"].unique()[:pairs]), names] = np.nan
    shown = plot_balance(without).axes[0].get_yticklabels()
    assert sorted(text.get_text().replace("\n", " ") for text in shown) == sorted(NAMES)


def test_balance_draws_differences_without_their_sign_the_largest_first():
    figure = plot_balance(BALANCE.sample(frac=1, random_state=1))
    first = figure.axes[0]
    before, after = (
        next(line for line in first.lines if line.get_label() == name) for name in ("_as it is", "_weighted")
    )
    assert np.allclose(before.get_xdata(), [0.9, 0.7, 0.5, 0.3])
    assert np.allclose(after.get_xdata(), [0, 0.03, 0.06, 0.09])
    assert [text.get_text().replace("\n", " ") for text in first.get_yticklabels()] == NAMES


def test_more_pairs_than_panels_share_one():
    many = pd.concat([BALANCE, BALANCE.assign(stratum_a="other", difference=2.0)])
    figure = plot_balance(many)
    assert len(figure.axes) == 1
    assert figure.axes[0].get_title(loc="left") == "largest of 5 pairs of strata"


def test_without_weights_only_what_is():
    figure = plot_balance(BALANCE.assign(weighted_difference=np.nan))
    (mark,) = [line for line in figure.axes[0].lines if line.get_label() == "_weighted"]
    assert np.isnan(np.asarray(mark.get_xdata(), dtype=float)).all()


def test_overlap_is_of_shares_members_up_and_others_down():
    figure = plot_overlap(overlap())
    for ax in figure.axes:
        heights = np.array([patch.get_height() for patch in ax.patches])
        assert heights[heights > 0].sum() == pytest.approx(1)
        assert heights[heights < 0].sum() == pytest.approx(-1)


def test_the_boundary_is_where_the_ratio_reaches_one():
    ax = plot_confounder_bias(bias(1.5)).axes[0]
    (line,) = [line for line in ax.lines if line.get_label() == "_boundary"]
    a, b = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
    assert np.allclose(a * b / (a + b - 1), 1.5, rtol=0.01)


def test_a_ratio_below_one_has_its_boundary_too():
    table = bias(1.0).assign(risk_ratio=lambda frame: 0.6 / frame["risk_ratio"])
    lines = [line.get_label() for line in plot_confounder_bias(table).axes[0].lines]
    assert lines.count("_boundary") == 1


def test_crude_curves_stand_thin_behind_the_adjusted(make_curves):
    curves = make_curves(["low", "high"])
    crude = curves.assign(survival=curves["survival"] ** 2)
    ax = plot_adjusted(curves, crude).axes[0]
    drawn = {line.get_label(): line for line in ax.lines}
    assert drawn["_low, crude"].get_linewidth() < drawn["low"].get_linewidth()
    assert np.allclose(drawn["_low, crude"].get_ydata(), crude[crude["stratum"] == "low"]["survival"])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plot_balance(BALANCE.drop(columns="difference")), "balance: no column difference"),
        (lambda: plot_overlap(overlap().head(0)), "propensity: no rows to draw"),
        (lambda: plot_confounder_bias(bias(1.5).drop(columns="risk_ratio")), "bias: no column risk_ratio"),
        (lambda: plot_confounder_bias(bias(1.5).head(5)), "needs a risk ratio for every pair"),
    ],
)
def test_frames_that_cannot_be_drawn(call, message):
    with pytest.raises(InputError, match=message):
        call()
