"""What a mock says back: replies as users give them, checked, and as bytes on the wire.

Nothing here decides which mock answers a request, or when its answer is sent.
"""
