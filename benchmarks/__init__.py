"""Speed beside peers, as ratios in one run; see benchmarks/README.md."""
