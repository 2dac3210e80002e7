"""Mutation testing: small changes of the domain that tests must notice.

`operators` and `mutants` make the changes, with the operators of cosmic-ray and three more; `coverage_map` records
which test file runs which line; `jobs` runs pytest in forked processes, each in a copy of the project; `session` keeps
results, so that a run that was stopped goes on; `python -m scripts.mutation` does all of it.
"""
