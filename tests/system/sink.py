"""sink.py - an SMTP server for tests that keeps a line for each copy it took: who,
which Message-ID, in which of its connections. Speaks PIPELINING; fast; on loopback."""
import asyncio
import re
import threading


class Copy:
    __slots__ = ("message_id", "recipient", "connection", "life", "instance", "size")

    def __init__(self, message_id, recipient, connection, life, size):
        self.message_id, self.recipient = message_id, recipient
        self.connection, self.life, self.size = connection, life, size


class Sink:
    """life is the caller's to set: which life of the daemon a copy came from."""

    def __init__(self):
        self.copies = []
        self.connections = 0
        self.life = 0
        self.arrived = threading.Condition()
        self.loop = asyncio.new_event_loop()
        self.server = None
        ready = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self.thread.start()
        ready.wait()

    def _run(self, ready):
        asyncio.set_event_loop(self.loop)
        self.server = self.loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 22))
        self.port = self.server.sockets[0].getsockname()[1]
        ready.set()
        self.loop.run_forever()

    def stop(self):
        asyncio.run_coroutine_threadsafe(self._end(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def leave(self):
        """Goes away, connections and all."""
        asyncio.run_coroutine_threadsafe(self._end(), self.loop).result()

    def come_back(self):
        """To the same port."""
        asyncio.run_coroutine_threadsafe(self._listen(), self.loop).result()

    async def _listen(self):
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=1 << 22)

    async def _end(self):
        self.server.close()
        tasks = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def wait_copies(self, count, timeout):
        with self.arrived:
            return self.arrived.wait_for(lambda: len(self.copies) >= count, timeout)

    async def _serve(self, reader, writer):
        self.connections += 1
        try:
            await self._talk(reader, writer, self.connections, self.life)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async def _talk(self, reader, writer, connection, life):
        writer.write(b"220 sink ESMTP\r\n")
        recipients = []
        while True:
            line = await reader.readuntil(b"\r\n")
            verb = line[:4].upper()
            if verb == b"EHLO":
                writer.write(b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-SIZE 100000000\r\n"
                             b"250 ENHANCEDSTATUSCODES\r\n")
            elif verb in (b"MAIL", b"RSET", b"NOOP"):
                recipients = []
                writer.write(b"250 2.0.0 ok\r\n")
            elif verb == b"RCPT":
                recipients.append(re.search(rb"<(.*?)>", line)[1].decode())
                writer.write(b"250 2.1.5 ok\r\n")
            elif verb == b"DATA":
                writer.write(b"354 go on\r\n")
                await writer.drain()
                mail = await reader.readuntil(b"\r\n.\r\n")
                self._keep(mail, recipients, connection, life)
                writer.write(b"250 2.0.0 kept\r\n")
            elif verb == b"QUIT":
                writer.write(b"221 2.0.0 bye\r\n")
                await writer.drain()
                return
            else:
                writer.write(b"502 5.5.2 what\r\n")
            await writer.drain()

    def _keep(self, mail, recipients, connection, life):
        found = re.search(rb"^Message-ID:\s*<(.*?)>", mail, re.I | re.M)
        with self.arrived:
            for recipient in recipients:
                self.copies.append(Copy(found[1].decode() if found else None, recipient, connection, life, len(mail)))
            self.arrived.notify_all()
