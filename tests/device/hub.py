#!/usr/bin/env python3
"""The world behind a device's uplink: a name server, and a hub that speaks TLS on 443, 5671 and 8883.

    hub.py FOLDER

FOLDER holds cert.pem and key.pem, names.json (what resolves, anything else does not exist) and deployment.json,
which the hub answers every line of a client with. The files are read anew for every question.
"""

import json
import socket
import ssl
import struct
import sys
import threading
from pathlib import Path

NAME_SERVER = "192.0.2.53"
HUB = "192.0.2.10"
PORTS = (443, 5671, 8883)


def answer_name(query, names):
    """A reply to one question for an IPv4 address."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode(errors="replace"))
        at += 1 + query[at]
    question = query[12:at + 5]
    name, kind = ".".join(labels).lower(), struct.unpack("!H", query[at + 1:at + 3])[0]
    address = names.get(name) if kind == 1 else None
    flags = 0x8180 if name in names else 0x8183
    reply = query[:2] + struct.pack("!HHHHH", flags, 1, 1 if address else 0, 0, 0) + question
    if address:
        reply += struct.pack("!HHHIH", 0xC00C, 1, 1, 1, 4) + socket.inet_aton(address)
    return reply


def serve_names(folder):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((NAME_SERVER, 53))
        while True:
            query, client = s.recvfrom(1500)
            s.sendto(answer_name(query, json.loads((folder / "names.json").read_text())), client)


def converse(tcp, context, folder):
    try:
        with context.wrap_socket(tcp, server_side=True).makefile("rw") as stream:
            for _ in stream:
                stream.write(json.dumps(json.loads((folder / "deployment.json").read_text())) + "\n")
                stream.flush()
    except OSError:
        pass  # a client that left, or that never finished TLS


def serve_hub(port, context, folder):
    with socket.create_server((HUB, port)) as listening:
        while True:
            tcp = listening.accept()[0]
            threading.Thread(target=converse, args=(tcp, context, folder), daemon=True).start()


def main():
    folder = Path(sys.argv[1])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    for port in PORTS:
        threading.Thread(target=serve_hub, args=(port, context, folder), daemon=True).start()
    serve_names(folder)


main()
