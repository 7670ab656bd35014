"""Where this package meets aiohttp's client: the hooks, and the in-memory connection that replaces a socket.

Only this wing uses private names of aiohttp and asyncio, each with the reason and the releases it was checked on.
Nothing here knows about mocks. What answers a request is decided elsewhere: the hooks declare, as a `Protocol`, what
they need from the code that decides.
"""
