"""Pages about tokens: problems, test tokens, the inspector, workload identity."""
