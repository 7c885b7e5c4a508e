"""Ground truth: expressions, primitives, forward and reverse mode, and routes that must agree; nothing of grading."""
