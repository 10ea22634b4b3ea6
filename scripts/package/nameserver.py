"""A name server with a few names, on the port that resolvers use. For an isolated network namespace."""

import fcntl
import socket
import struct
import threading


class NameServer:
    """Answers questions for IPv4 addresses over UDP; `asked` has the names in order."""

    def __init__(self, names: dict[str, str]):
        self.asked = []
        self._names = names
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        # A datagram of no question wakes the thread up for the last time.
        self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def _serve(self):
        while True:
            question, sender = self._socket.recvfrom(4096)
            if not question:
                return
            self._socket.sendto(self._answer(question), sender)

    def _answer(self, question: bytes) -> bytes:
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1 : at + 1 + question[at]].decode())
            at += 1 + question[at]
        (kind,) = struct.unpack("!H", question[at + 1 : at + 3])
        name = ".".join(labels).lower()
        self.asked.append(name)
        address = self._names.get(name)
        answers = b""
        if address and kind == A:
            answers = struct.pack("!HHHIH", 0xC00C, A, 1, 60, 4) + socket.inet_aton(address)
        flags = 0x8580 if address else 0x8583  # 3: there is no such name
        header = struct.pack("!HHHHH", flags, 1, 1 if answers else 0, 0, 0)
        return question[:2] + header + question[12 : at + 5] + answers


def raise_loopback():
    """A new network's loopback is down, and `ip` is not on every machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", IFF_UP | IFF_RUNNING)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, request)


A = 1
SIOCSIFFLAGS = 0x8914
IFF_UP = 0x1
IFF_RUNNING = 0x40
