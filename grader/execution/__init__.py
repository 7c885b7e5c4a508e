"""Student code: run sealed, ask it probes, bring raw numbers back.  Verdicts are computed elsewhere."""
