"""The parts of `benchmarks/archer.py`."""
