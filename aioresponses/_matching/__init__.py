"""What a mock asks of a request, which mock answers, and why none did.

Nothing here sends anything: the reply of the mock that answers is handed on as it was registered.
"""
