"""What students get: statement, answer templates, notebook without solutions, workflow, instructions."""
