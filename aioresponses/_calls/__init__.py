"""What was requested, how it ended, and what failed on the way: the plain records, and what users see of them.

Records are written while a call is in flight, and tests read them afterwards. Nothing here decides who answers, or
with what; a record does not know who writes it.
"""
