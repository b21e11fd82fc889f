"""A name server: `NAMES ADDRESS {"name": "address"…}` as a program for `python3 -c`. It says "listens" once it does."""

NAMES = """
import json, socket, sys
names = json.loads(sys.argv[2])
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 53))
print("listens", flush=True)
while True:
    query, client = s.recvfrom(512)
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += 1 + query[at]
    question, kind = query[12:at + 5], query[at + 1:at + 3]
    address = names.get(".".join(labels).lower())
    answer = b""
    if address and kind == bytes([0, 1]):
        answer = bytes([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4]) + socket.inet_aton(address)
    flags = bytes([0x81, 0x80 if address else 0x83])
    s.sendto(query[:2] + flags + bytes([0, 1, 0, bool(answer), 0, 0, 0, 0]) + question + answer, client)
"""
