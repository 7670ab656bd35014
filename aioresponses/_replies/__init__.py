"""What a mock says back: replies as users give them, checked, and as bytes on the wire.

Nothing here knows which mock a reply belongs to, or when it is sent.
"""
