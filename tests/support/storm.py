"""Clients that do nothing but handshakes, as a program: ``storm.py PORT PER_SECOND SECONDS CA_FILE``.

Prints how many were made. It is no part of the process that measures what others feel of it.
"""

from __future__ import annotations

import asyncio
import ssl
import sys

__all__ = ["main"]

_PATIENCE_S = 10.0


async def main(port: int, per_second: int, seconds: float, ca_file: str) -> int:
    """Begin handshakes at a steady rate, and count those that were made."""
    context = ssl.create_default_context(cafile=ca_file)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    running = set()
    for number in range(int(per_second * seconds)):
        await asyncio.sleep(begun + number / per_second - loop.time())
        running.add(asyncio.create_task(_shake_hands(port, context)))
    done, _ = await asyncio.wait(running, timeout=_PATIENCE_S)
    return sum(task.exception() is None for task in done)


async def _shake_hands(port: int, context: ssl.SSLContext) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        await reader.readline()  # INFO
        await writer.start_tls(context, server_hostname="127.0.0.1")
    finally:
        writer.transport.abort()


if __name__ == "__main__":
    print(asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4])))
