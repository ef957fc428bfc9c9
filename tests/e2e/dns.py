"""A name server for tests: answers SRV and A over UDP on loopback from a dictionary, NXDOMAIN else."""
import socket
import struct
import threading

SRV, A = 33, 1


def packed_name(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def read_name(packet, at):
    labels = []
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode())
        at += 1 + packet[at]
    return ".".join(labels).lower(), at + 1


class NameServer:
    """records: {(type, name): [rdata, ...]}; the address is what [discovery] dns takes."""

    def __init__(self):
        self.records, self.asked = {}, []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def srv(self, domain, target, port, priority=0, weight=0):
        rdata = struct.pack("!HHH", priority, weight, port) + packed_name(target)
        self.records.setdefault((SRV, f"_hanse._tcp.{domain}"), []).append(rdata)

    def a(self, name, address):
        self.records.setdefault((A, name), []).append(socket.inet_aton(address))

    def serve(self):
        while True:
            packet, sender = self.socket.recvfrom(4096)
            name, end = read_name(packet, 12)
            kind = struct.unpack("!H", packet[end:end + 2])[0]
            self.asked.append((kind, name))
            found = self.records.get((kind, name), [])
            known = any(n == name for _, n in self.records)
            flags = 0x8400 | (0 if known else 3)
            answers = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 1, len(r)) + r for r in found)
            self.socket.sendto(packet[:2] + struct.pack("!HHHHH", flags, 1, len(found), 0, 0) +
                               packet[12:end + 4] + answers, sender)
