"""What follows from the planted truth: the target that each estimate is judged against."""
