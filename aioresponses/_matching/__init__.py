"""What a mock requires of a request, which mock answers, and why none did.

Nothing here sends anything: the reply of the mock that answers is passed on as it was registered.
"""
