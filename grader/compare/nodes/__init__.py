"""Is a node of a student's autograd program right?  Probes with fresh inputs go in, raw arrays come back, judged here.

`probes_for` draws the probes of one node from a secret, `judge` gives the verdict on its forward and backward pass.
`engine_probes` and `judge_engine` do the same for a whole engine.  Nothing here runs student code.
"""
