"""Measurement error of the marker: reclassification, attenuation, simulation-extrapolation."""

from analysis.robustness.measurement.attenuation import Attenuation, attenuation
from analysis.robustness.measurement.error import MAGNESIUM_ERROR, ErrorScale
from analysis.robustness.measurement.reclassification import Reclassification, reclassification
from analysis.robustness.measurement.simex import SimulationExtrapolation, simulation_extrapolation
