"""What a mock replies: replies as users give them, checked, and encoded as bytes on the wire.

Nothing here decides which mock answers a request, or when the answer is sent.
"""
