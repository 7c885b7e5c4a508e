"""What a push is told: annotations, step summary, badge, and the results that class tools read.  Pure text in and out.

Every function here takes a report that `reporting.audience.for_student` has already cut down to what a learner may see.
"""
