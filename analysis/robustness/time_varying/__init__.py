"""Values that change during follow-up: samples, start-stop rows, immortal time."""
