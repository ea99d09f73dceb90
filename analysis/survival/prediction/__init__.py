"""What a fitted Cox model says of other patients, and which of two models says more."""

from __future__ import annotations

from analysis.survival.prediction.comparison import ModelComparison, compare_models
from analysis.survival.prediction.predicted import Predictor, predict_quantile, predict_survival, predictor_of
