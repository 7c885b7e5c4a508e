"""Ground truth: expressions, primitives, forward and reverse mode, and routes that must agree.  Knows nothing of grading."""
