"""Values that change during follow-up: samples, start-stop rows, immortal time."""

from analysis.robustness.time_varying.samples import baseline_value, counted
from analysis.robustness.time_varying.start_stop import check_start_stop, start_stop
