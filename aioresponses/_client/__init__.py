"""aiohttp's client, met at its seams: the hooks, and the in-memory connection that takes the place of a socket.

All use of aiohttp's and asyncio's private names is here, each with its reason and the releases that it was checked on.
Nothing here knows of mocks. What a request is answered with is decided elsewhere: the hooks state as a `Protocol` what
they need of whoever decides.
"""
