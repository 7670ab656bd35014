"""What a test claims about the calls that were made, and how a claim fails.

Nothing here changes a record or a mock, and nothing but `reports` words a failure that several of them share.
"""
