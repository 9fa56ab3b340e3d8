"""A small chat server over the wire `framed`, with one mistake in it. docs/02-first-failure.md finds the mistake.

It has neither tokens that can be resumed nor keys that make a repeated send safe; target.yaml says so.
"""

import argparse
import asyncio
import secrets
import struct
import time
import unicodedata

options = argparse.ArgumentParser()
options.add_argument("--port", type=int, default=6262)
options.add_argument("--mailbox-messages", type=int, default=1000)
options = options.parse_args()

accounts = {}  # username: Account
MALFORMED, UNSUPPORTED_VERSION, UNKNOWN_OPERATION, FRAME_TOO_LARGE = 1, 2, 3, 4
NOT_LOGGED_IN, ALREADY_LOGGED_IN, BAD_CREDENTIALS = 10, 11, 12
INVALID_USERNAME, INVALID_PASSWORD, USERNAME_TAKEN, INVALID_PATTERN = 20, 21, 22, 23
NO_SUCH_USER, TEXT_TOO_LONG, MAILBOX_FULL, INVALID_CURSOR, MAILBOX_NOT_EMPTY = 30, 31, 32, 34, 35


class Account:
    def __init__(self, password):
        self.password, self.session, self.waiting, self.last_id = password, None, [], 0


class Refused(Exception):
    pass


class Body:
    """The fields of a request, one after the other."""

    def __init__(self, data):
        self.data = data

    def take(self, count):
        if len(self.data) < count:
            raise Refused(MALFORMED)
        taken, self.data = self.data[:count], self.data[count:]
        return taken

    def number(self, size):
        return int.from_bytes(self.take(size), "big")

    def flag(self):
        value = self.number(1)
        if value > 1:
            raise Refused(MALFORMED)
        return value == 1

    def text(self):
        try:
            return self.take(self.number(2)).decode()
        except UnicodeDecodeError:
            raise Refused(MALFORMED)

    def fields(self, kinds):
        read = {"t": self.text, "f": self.flag, "h": lambda: self.number(2), "q": lambda: self.number(8)}
        read["k"] = lambda: self.take(self.number(1))
        values = [read[kind]() for kind in kinds]
        if self.data:
            raise Refused(MALFORMED)
        return values


def text(value):
    return struct.pack(">H", len(value.encode())) + value.encode()


def message(row):
    message_id, sender, body, sent_at = row
    return struct.pack(">Q", message_id) + text(sender) + text(body) + struct.pack(">Q", sent_at)


def fits(pattern, name):
    """`*` is any run of characters, `?` any one. In linear time, and without regular expressions."""
    p = n = 0
    star, mark = -1, 0
    while n < len(name):
        if p < len(pattern) and pattern[p] == "*":
            star, mark, p = p, n, p + 1
        elif p < len(pattern) and pattern[p] in (name[n], "?"):
            p, n = p + 1, n + 1
        elif star >= 0:
            mark += 1
            p, n = star + 1, mark
        else:
            return False
    return all(character == "*" for character in pattern[p:])


class Connection:
    def __init__(self, reader, writer):
        self.reader, self.writer, self.username = reader, writer, None

    def write(self, reply, request_id, body):
        self.writer.write(struct.pack(">IBBI", len(body) + 6, 1, reply, request_id) + body)

    def end(self):
        self.unbind()
        self.writer.close()

    def unbind(self):
        account = accounts.get(self.username)
        if account and account.session is self:
            account.session = None
        self.username = None

    async def serve(self):
        buffer = b""
        try:
            while data := await self.reader.read(16384):
                buffer += data
                while len(buffer) >= 4:
                    length = int.from_bytes(buffer[:4], "big")
                    if not 6 <= length <= 65536:
                        return await self.refuse(MALFORMED if length < 6 else FRAME_TOO_LARGE)
                    if len(buffer) >= 5 and buffer[4] != 1:
                        return await self.refuse(UNSUPPORTED_VERSION)
                    if len(buffer) < 4 + length:
                        break
                    frame, buffer = buffer[4 : 4 + length], b""
                    self.handle(frame)
                await self.writer.drain()
        except ConnectionError:
            pass
        finally:
            self.unbind()
            self.writer.close()

    async def refuse(self, error):
        """Answers what cannot be answered otherwise, and listens on for a while so that the answer is not lost."""
        self.write(255, 0, bytes([error]) + text(""))
        self.unbind()
        self.writer.write_eof()
        try:
            await asyncio.wait_for(self.reader.read(65536), 1)
        except asyncio.TimeoutError:
            pass

    def handle(self, frame):
        operation, request_id = frame[1], int.from_bytes(frame[2:6], "big")
        if operation > 63:
            return self.write(255, 0, bytes([UNKNOWN_OPERATION]) + text(""))
        try:
            body = b"\0" + self.perform(operation, Body(frame[6:]))
        except Refused as refused:
            body = bytes([refused.args[0]]) + text("")
        self.write(operation + 128, request_id, body)

    def perform(self, operation, body):
        operations = {
            0: (self.list, "tth"),
            1: (self.create, "tt"),
            2: (self.log_in, "ttf"),
            3: (self.log_out, ""),
            4: (self.delete, "tf"),
            5: (self.send, "ttk"),
            6: (self.deliver, "qh"),
            8: (self.hello, "t"),
            9: (self.ping, "q"),
        }
        if operation not in operations:
            raise Refused(UNKNOWN_OPERATION)
        method, kinds = operations[operation]
        values = body.fields(kinds)
        if operation in (0, 3, 4, 5, 6) and self.username is None:
            raise Refused(NOT_LOGGED_IN)
        return method(*values)

    def hello(self, client):
        return text("a small server") + struct.pack(">H", 0) + bytes([1]) + text("")

    def ping(self, nonce):
        return struct.pack(">Q", nonce)

    def create(self, username, password):
        forbidden = lambda c: c.isspace() or c in "|*?" or unicodedata.category(c) == "Cc"
        if not 1 <= len(username) <= 50 or any(map(forbidden, username)):
            raise Refused(INVALID_USERNAME)
        if not 1 <= len(password) <= 50:
            raise Refused(INVALID_PASSWORD)
        if username in accounts:
            raise Refused(USERNAME_TAKEN)
        accounts[username] = Account(password)
        return b""

    def log_in(self, username, password, take_over):
        if self.username is not None:
            raise Refused(ALREADY_LOGGED_IN)
        account = accounts.get(username)
        if account is None or account.password != password:
            raise Refused(BAD_CREDENTIALS)
        if account.session is not None:
            if not take_over:
                raise Refused(ALREADY_LOGGED_IN)
            account.session.end()
        account.session, self.username = self, username
        return bytes([16]) + secrets.token_bytes(16) + struct.pack(">II", 3600, len(account.waiting))

    def log_out(self):
        self.unbind()
        return b""

    def list(self, pattern, after, limit):
        if len(pattern) > 50:
            raise Refused(INVALID_PATTERN)
        names = sorted(name for name in accounts if name > after and fits(pattern or "*", name))
        page = names[: min(limit or 100, 100)]
        return struct.pack(">H", len(page)) + b"".join(map(text, page)) + bytes([len(page) < len(names)])

    def send(self, recipient, body, key):
        if len(key) not in (0, 16):
            raise Refused(MALFORMED)
        if len(body.encode()) > 4096:
            raise Refused(TEXT_TOO_LONG)
        account = accounts.get(recipient)
        if account is None:
            raise Refused(NO_SUCH_USER)
        if len(account.waiting) >= options.mailbox_messages:
            raise Refused(MAILBOX_FULL)
        account.last_id += 1
        row = (account.last_id, self.username, body, int(time.time() * 1000))
        account.waiting.append(row)
        if account.session is not None:
            account.session.write(64, 0, message(row))
        return struct.pack(">Q", account.last_id) + bytes([account.session is not None])

    def deliver(self, acknowledge, most):
        account = accounts[self.username]
        if acknowledge > account.last_id:
            raise Refused(INVALID_CURSOR)
        account.waiting = [row for row in account.waiting if row[0] > acknowledge]
        page, size = [], 0
        for row in map(message, account.waiting[: min(most, 100)]):
            if page and size + len(row) > 65000:
                break
            page.append(row)
            size += len(row)
        more = len(page) < len(account.waiting)
        return struct.pack(">H", len(page)) + b"".join(page) + bytes([more])

    def delete(self, password, discard):
        account = accounts[self.username]
        if account.password != password:
            raise Refused(BAD_CREDENTIALS)
        if account.waiting and not discard:
            raise Refused(MAILBOX_NOT_EMPTY)
        del accounts[self.username]
        self.username = None
        return struct.pack(">I", len(account.waiting))


async def main():
    serve = lambda reader, writer: Connection(reader, writer).serve()
    server = await asyncio.start_server(serve, "127.0.0.1", options.port)
    async with server:
        await server.serve_forever()


asyncio.run(main())
