"""May it be so: mutating and validating plugins in order."""
