"""Values that change during follow-up: samples, start-stop rows, immortal time."""

from analysis.robustness.time_varying.start_stop import baseline_value, check_start_stop, counted, start_stop
