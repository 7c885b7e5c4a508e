"""Grading and solution verification for the mathematics of deep learning."""
