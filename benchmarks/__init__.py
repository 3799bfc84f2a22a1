"""One runnable file per figure: `python -m benchmarks.NAME`. Ratios are measured within one run."""
