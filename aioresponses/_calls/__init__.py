"""What was requested, how it ended, and what failed on the way: the plain records, and what users see of them.

Records are written while a call is on its way and read by tests afterwards. Nothing here decides who answers or what;
a record does not know who drives it.
"""
