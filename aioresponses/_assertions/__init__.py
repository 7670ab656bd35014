"""What a test asserts about the calls that were made, and how an assertion fails.

Nothing here changes a record or a mock, and only `reports` contains text that several assertions share.
"""
