"""A TLS connection that can close one side: Python's own sockets can not."""
import socket
import ssl


class Private:
    """As a socket, as far as run.py needs one."""

    def __init__(self, plain, name):
        self.plain = plain
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False       # whose it is, tests/system/ asks
        context.verify_mode = ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.tls = context.wrap_bio(self.incoming, self.outgoing,
                                    server_hostname=name)
        self._go_on(self.tls.do_handshake)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.plain.close()

    def _flush(self):
        data = self.outgoing.read()
        if data:
            self.plain.sendall(data)

    def _go_on(self, step, *arguments):
        """Do a step, with as many bytes of the other side as it takes."""
        while True:
            try:
                done = step(*arguments)
                self._flush()
                return done
            except ssl.SSLWantReadError:
                self._flush()
            data = self.plain.recv(1 << 16)
            if data:
                self.incoming.write(data)
            else:
                self.incoming.write_eof()

    def settimeout(self, seconds):
        self.plain.settimeout(seconds)

    def sendall(self, data):
        self.tls.write(data)
        self._flush()

    def recv(self, size):
        """b"" after close_notify; ssl.SSLError if the end came without it."""
        try:
            return self._go_on(self.tls.read, size)
        except ssl.SSLZeroReturnError:
            return b""

    def shutdown(self, how):
        """Say close_notify (RFC 5246, section 7.2.1), and read on."""
        assert how == socket.SHUT_WR
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        self._flush()
