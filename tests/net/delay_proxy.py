"""Passes TCP on, late: delay_proxy.py LISTEN_HOST PORT TARGET_HOST PORT SECONDS_EACH_WAY"""

import asyncio
import sys


async def pump(reader, writer, seconds):
    """Every piece leaves `seconds` after it came; pieces overlap on the way, as on a long line."""
    loop = asyncio.get_running_loop()
    on_the_way = asyncio.Queue(maxsize=4096)

    async def deliver():
        while (item := await on_the_way.get()) is not None:
            when, data = item
            await asyncio.sleep(max(0.0, when - loop.time()))
            writer.write(data)
            await writer.drain()

    delivery = asyncio.create_task(deliver())
    try:
        while data := await reader.read(1 << 16):
            await on_the_way.put((loop.time() + seconds, data))
    except OSError:
        pass
    await on_the_way.put(None)
    try:
        await delivery
        writer.close()
    except OSError:
        pass


async def main(host, port, target_host, target_port, seconds):
    async def serve(reader, writer):
        try:
            far_reader, far_writer = await asyncio.open_connection(target_host, target_port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(pump(reader, far_writer, seconds), pump(far_reader, writer, seconds))

    async with await asyncio.start_server(serve, host, port) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]),
                     float(sys.argv[5])))
