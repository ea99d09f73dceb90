"""The gate from a frame to arrays: survival data, groups, counts, arguments."""
