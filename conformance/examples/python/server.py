#!/usr/bin/env python3
"""A chat server in the dialect `framed`, written from spec/ alone. Python's standard library, one thread, in memory."""
import argparse, asyncio, hashlib, hmac, math, os, secrets, struct, time, unicodedata

ERRORS = dict(malformed=1, unsupported_version=2, unknown_operation=3, frame_too_large=4, not_logged_in=10,
              already_logged_in=11, bad_credentials=12, invalid_token=13, token_expired=14, invalid_username=20,
              invalid_password=21, username_taken=22, invalid_pattern=23, no_such_user=30, text_too_long=31,
              mailbox_full=32, key_conflict=33, invalid_cursor=34, mailbox_not_empty=35)
CAPABILITIES = ["push", "acknowledgement", "idempotency", "paging", "take_over", "passwords", "many_connections"]
FRAME_BYTES = PAGE_BYTES = DISCARD_BYTES = 65536
PAUSE_BYTES, CLOSE_BYTES, DISCARD_S, PAGE_ITEMS, KEYS_KEPT, EVENT, NO_ECHO = 262144, 1048576, 1.0, 100, 256, 64, 255
# code: (name, fields of the body, whether a session is needed). Fields: s string, b bytes, k key, f flag, H u16, Q u64.
ANY, NONE, NEEDED = range(3)
OPERATIONS = {0: ("list_accounts", "ssH", NEEDED), 1: ("create_account", "ss", ANY), 2: ("log_in", "ssf", NONE),
              3: ("log_out", "", NEEDED), 4: ("delete_account", "sf", NEEDED), 5: ("send_message", "ssk", NEEDED),
              6: ("deliver_messages", "QH", NEEDED), 7: ("resume_session", "b", NONE), 8: ("hello", "s", ANY),
              9: ("ping", "Q", ANY)}
SIZES = {"s": "H", "b": "B", "k": "B", "f": "B", "H": "H", "Q": "Q"}  # the number that each field begins with

class Refused(Exception):
    def __init__(self, error):
        self.body = bytes([ERRORS[error]]) + text(error.replace("_", " "))

def require(condition, error):
    if not condition:
        raise Refused(error)

def text(value):
    return struct.pack(">H", len(value.encode())) + value.encode()

def texts(values):
    return struct.pack(">H", len(values)) + b"".join(map(text, values))

def decode(body, fields):
    values, at = [], 0
    try:
        for field in fields:
            (value,) = struct.unpack_from(">" + SIZES[field], body, at)
            at += struct.calcsize(">" + SIZES[field])
            require({"f": value <= 1, "k": value in (0, 16)}.get(field, True), "malformed")
            if field in "sbk":
                at, value = at + value, body[at:at + value]
                value = value.decode("utf-8") if field == "s" else value
            values.append(value)
    except (struct.error, UnicodeDecodeError):
        raise Refused("malformed")
    require(at == len(body), "malformed")  # neither too little nor too much
    return values

def fits(pattern, name):
    ends = {0}  # where in the name the pattern so far can end; no pattern takes long
    for c in pattern:
        one_on = {n + 1 for n in ends if n < len(name) and c in ("?", name[n])}
        ends = set(range(min(ends, default=len(name) + 1), len(name) + 1)) if c == "*" else one_on
    return len(name) in ends

class Account:
    def __init__(self, name, password):
        self.name, self.salt, self.token, self.expires, self.connection = name, os.urandom(16), None, 0.0, None
        self.hash, self.messages, self.last_id, self.keys = self.hash_of(password), [], 0, {}
    def hash_of(self, password):  # a product would use a much higher cost, in a thread; this one keeps tests quick
        return hashlib.scrypt(password.encode(), salt=self.salt, n=256, r=8, p=1)
    def accepts(self, password):
        return hmac.compare_digest(self.hash, self.hash_of(password))
    def online(self):
        return self.connection is not None and time.monotonic() < self.expires
    def expires_in(self):
        return struct.pack(">I", max(0, math.ceil(self.expires - time.monotonic())))

class Server:
    """One method for each operation: from the connection and the arguments to the result, or Refused."""
    def __init__(self, options):
        self.token_lifetime, self.idle_timeout = options.token_lifetime_ms / 1000, options.idle_timeout_ms / 1000
        self.mailbox_messages, self.accounts, self.tokens = options.mailbox_messages, {}, {}
        self.nobody = Account("", secrets.token_hex())  # stands in for missing accounts, so that both take as long
    def hello(self, connection, client):
        return text("example in Python") + texts(CAPABILITIES) + b"\x01" + text("")
    def ping(self, connection, nonce):
        return struct.pack(">Q", nonce)
    def create_account(self, connection, username, password):
        bad = any(c.isspace() or unicodedata.category(c) == "Cc" or c in "|*?" for c in username)
        require(1 <= len(username) <= 50 and not bad, "invalid_username")
        require(1 <= len(password) <= 50, "invalid_password")
        require(username not in self.accounts, "username_taken")
        self.accounts[username] = Account(username, password)
    def log_in(self, connection, username, password, take_over):
        account = self.accounts.get(username, self.nobody)
        require(account.accepts(password) and account is not self.nobody, "bad_credentials")
        require(take_over or not account.online(), "already_logged_in")
        self.bind(connection, account)
        self.tokens.pop(account.token, None)
        account.token, account.expires = secrets.token_bytes(32), time.monotonic() + self.token_lifetime
        self.tokens[account.token] = account
        return bytes([32]) + account.token + account.expires_in() + struct.pack(">I", len(account.messages))
    def resume_session(self, connection, token):
        require(token in self.tokens, "invalid_token")
        account = self.tokens[token]
        require(time.monotonic() < account.expires, "token_expired")
        self.bind(connection, account)
        return text(account.name) + account.expires_in()
    def bind(self, connection, account):
        connection.unbind()
        if account.connection:  # it stays open if its session has expired
            account.connection.end() if account.online() else account.connection.unbind()
        connection.account, account.connection = account, connection
    def log_out(self, connection):
        self.tokens.pop(connection.account.token)
        connection.unbind()
    def delete_account(self, connection, password, discard):
        account = connection.account
        require(account.accepts(password), "bad_credentials")
        require(discard or not account.messages, "mailbox_not_empty")
        self.log_out(connection)
        del self.accounts[account.name]
        return struct.pack(">I", len(account.messages))
    def list_accounts(self, connection, pattern, after, limit):
        require(len(pattern) <= 50, "invalid_pattern")
        names = sorted(n for n in self.accounts if n > after and fits(pattern or "*", n))
        page = names[:min(limit or PAGE_ITEMS, PAGE_ITEMS)]
        return texts(page) + bytes([len(names) > len(page)])
    def send_message(self, connection, recipient, words, key):
        sender, reader = connection.account, self.accounts.get(recipient)
        require(len(words.encode()) <= 4096, "text_too_long")
        require(reader, "no_such_user")
        if key in sender.keys:
            message, answer = sender.keys[key]
            require(message == (recipient, words), "key_conflict")
            return answer
        require(len(reader.messages) < self.mailbox_messages, "mailbox_full")
        reader.last_id += 1
        now = struct.pack(">Q", time.time_ns() // 1_000_000)
        message = struct.pack(">Q", reader.last_id) + text(sender.name) + text(words) + now
        reader.messages.append((reader.last_id, message))
        answer = struct.pack(">QB", reader.last_id, reader.online())
        if key:
            sender.keys[key] = ((recipient, words), answer)
            sender.keys = dict(list(sender.keys.items())[-KEYS_KEPT:])
        if reader.online():
            reader.connection.write(EVENT, 0, message)
        return answer
    def deliver_messages(self, connection, acknowledge, most):
        account, page, size = connection.account, [], 6 + 1 + 2 + 1
        require(acknowledge <= account.last_id, "invalid_cursor")
        account.messages = [m for m in account.messages if m[0] > acknowledge]
        for _, message in account.messages[:min(most, PAGE_ITEMS)]:
            size += len(message)
            if size >= PAGE_BYTES:
                break
            page.append(message)
        return struct.pack(">H", len(page)) + b"".join(page) + bytes([len(account.messages) > len(page)])

class Connection(asyncio.Protocol):
    """Bytes to requests and back. `account` is the session; `ending` says that no more requests are read."""
    def __init__(self, server):
        self.server, self.account, self.input, self.timer = server, None, bytearray(), None
        self.paused, self.ending, self.discarded, self.heard = False, False, 0, time.monotonic()
    def connection_made(self, transport):
        self.transport = transport
        transport.set_write_buffer_limits(high=PAUSE_BYTES - 1)
        self.check_idle()
    def check_idle(self):
        left = self.heard + self.server.idle_timeout - time.monotonic()
        self.call_later(left, self.check_idle) if left > 0 else self.end()
    def call_later(self, seconds, function):
        if self.timer: self.timer.cancel()
        self.timer = asyncio.get_running_loop().call_later(seconds, function)
    def data_received(self, data):
        self.heard = time.monotonic()
        if not self.ending:
            self.input += data
            return self.handle_frames()
        self.discarded += len(data)  # what came behind a last answer is read, or the system takes the answer back
        if self.discarded >= DISCARD_BYTES:
            self.close()
    def eof_received(self):
        self.close()  # every complete request has been answered by now; close() still sends what is unsent
        return True
    def connection_lost(self, error):
        self.close()
        self.timer.cancel()
    def pause_writing(self):
        self.paused = True
        if not self.ending: self.transport.pause_reading()
    def resume_writing(self):
        self.paused = False
        self.handle_frames()
        if not self.paused: self.transport.resume_reading()
    def unbind(self):
        if self.account:
            self.account.connection = self.account = None
    def end(self):
        """Says that nothing more will come, and reads on for a moment."""
        if not self.ending:
            self.close(self.transport.write_eof)
            self.transport.resume_reading()
            self.call_later(DISCARD_S, self.close)
    def close(self, how=None):
        self.ending = True
        self.unbind()
        self.call_later(self.server.idle_timeout, self.transport.abort)  # should it never read what is unsent
        try:
            (how or self.transport.close)()
        except OSError:  # the client has just reset the connection
            self.transport.abort()
    def write(self, reply, request_id, body):
        if not self.ending:
            self.transport.write(struct.pack(">IBBI", 6 + len(body), 1, reply, request_id) + body)
            if self.transport.get_write_buffer_size() >= CLOSE_BYTES:
                self.close(self.transport.abort)
    def handle_frames(self):
        at = 0
        while not self.paused and not self.ending and len(self.input) - at >= 4:
            (length,) = struct.unpack_from(">I", self.input, at)
            error = "malformed" if length < 6 else "frame_too_large" if length > FRAME_BYTES else \
                None if self.input[at + 4:at + 5] in (b"", b"\x01") else "unsupported_version"
            if error:
                self.write(NO_ECHO, 0, Refused(error).body)
                return self.end()
            if len(self.input) - at < 4 + length:
                break
            at += 4 + length
            self.handle_request(bytes(self.input[at - length + 1:at]))
        del self.input[:at]
    def handle_request(self, frame):
        code, request_id = struct.unpack_from(">BI", frame)
        try:
            require(code in OPERATIONS, "unknown_operation")
            name, fields, session = OPERATIONS[code]
            arguments = decode(frame[5:], fields)
            bound = self.account is not None and self.account.online()  # not if its token has expired
            require(session != NEEDED or bound, "not_logged_in")
            require(session != NONE or not bound, "already_logged_in")
            answer = b"\x00" + (getattr(self.server, name)(self, *arguments) or b"")
        except Refused as refused:
            answer = refused.body
            code, request_id = (code, request_id) if code <= 63 else (NO_ECHO - 128, 0)
        self.write(code + 128, request_id, answer)

async def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in zip(["port", "token-lifetime-ms", "mailbox-messages", "idle-timeout-ms"],
                             [6262, 3_600_000, 1000, 3_600_000]):
        parser.add_argument("--" + name, type=int, default=default)
    options = parser.parse_args()
    server, loop = Server(options), asyncio.get_running_loop()
    listener = await loop.create_server(lambda: Connection(server), "127.0.0.1", options.port, backlog=1024)
    await listener.serve_forever()

if __name__ == "__main__":
    asyncio.run(main())
