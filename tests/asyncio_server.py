"""How a test closes a server of asyncio."""

import asyncio


async def close(server: asyncio.Server) -> None:
    """Close a server. A connection that is accepted in the same turn is served: before Python 3.12,
    asyncio drops it without closing its socket.
    """
    for listener in server.sockets:
        server.get_loop().remove_reader(listener)
    await asyncio.sleep(0)
    server.close()
