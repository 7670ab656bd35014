"""Random exchanges, held against a server: what the mock shows to aiohttp's client, a server shows as well.

Theory
------
A mock that replaces nothing but the socket promises that a client sees what it would see from a real server. Tests
written by hand check that promise where somebody expected it to break; here, chance chooses. A *case* is a session that
makes a few calls, one after the other. Each call comes to one or more *exchanges*, a request and its replies, and says
how the response is read. `exchanges` draws cases from a seed and a number; the same two make the same case, whatever
ran before it.

Each case runs twice with the same client code, in `playing`. The first time, a server of plain asyncio on loopback
answers, in `server`. It knows HTTP by itself and shares no code with the package, so a mistake would have to be made
twice to go unseen. The second time the network is not used: the same replies are registered with `aioresponses`. What
the client could observe, and what came in at the other end, is written down as lines of text. The lines of both runs
must be equal, but for what is neither's doing: the boundary of a multipart body and addresses of objects in memory.

Three rules keep a difference from being an accident of time:

*   The server writes what belongs together at once, a head and a body that it knows. It gives the client some turns of
    the event loop before each piece of a stream, and before it closes or breaks a connection.
*   The client waits some turns between two calls, for a connection that was closed to be found closed.
*   Where the two differ all the same, the server is asked twice more. What it shows on any occasion, a mock may show.

Two things no server can do, so the server's outcome is translated. A stream that raises something other than a
`ConnectionError` is to raise just that in the reader; the server breaks the connection, and what the reader gets of
that is replaced. And a broken connection has the words of the system, where a mock may use those of the exception that
broke it; the words are left out.

    python -m tests.fuzz --seed 1 --seconds 30
"""
