"""A "Charging Station" out of any command that speaks TLS on its standard input: dials, asks for a WebSocket, again.

Arguments: a URL path, then the command, such as `openssl s_client ...`. It says nothing after the HTTP request, and ends
the command when the other end is gone.
"""

import subprocess
import sys
import time

REQUEST = (
    "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Protocol: ocpp2.0.1\r\n\r\n"
)
AGAIN_S = 0.2


def main(path, command):
    while True:
        client = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            client.stdin.write(REQUEST.format(path=path).encode())
            client.stdin.flush()
            client.wait()  # standard input stays open: an end of file would end the client
        except OSError:
            client.wait()
        finally:
            client.kill()
        time.sleep(AGAIN_S)


main(sys.argv[1], sys.argv[2:])
