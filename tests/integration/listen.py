"""TLS listeners, as the program text that a test runs in a namespace: CERTIFICATE KEY ADDRESS PORT..."""

LISTEN = """
import socket, ssl, sys, threading
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
def serve(client):
    try:
        with context.wrap_socket(client, server_side=True) as s:
            s.recv(1)
    except OSError:
        client.close()
def accept(server):
    while True:
        threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
listeners = [socket.create_server((sys.argv[3], int(port))) for port in sys.argv[4:]]
print("listens", flush=True)
for listener in listeners[1:]:
    threading.Thread(target=accept, args=(listener,), daemon=True).start()
accept(listeners[0])
"""
