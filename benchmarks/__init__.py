"""How fast segkit is beside its peers: `python -m benchmarks speed`."""
