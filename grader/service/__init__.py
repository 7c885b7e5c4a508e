"""A small review service for one person on one machine: what waits, the evidence, a form for a decision."""
