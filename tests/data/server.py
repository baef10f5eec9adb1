"""A mirror for the tests of downloads: server.py FOLDER, on a free port of the loopback, which it prints.

The first part of a path says how the file named by the last one is served:
/good/F as it is, /broken/F with a byte changed, /short/F the first half as if it were all, /cut/F the first half
of what was announced, /slow/F a few bytes and then nothing, /trickle/F all of it at 4 KB a second, /moved/F by way of
/good/F, anything else: 404.
"""
import http.server
import os
import sys
import threading
import time


class Mirror(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        how, _, name = self.path.strip("/").partition("/")
        path = os.path.join(sys.argv[1], os.path.basename(name))
        if how not in ("good", "broken", "short", "cut", "slow", "trickle", "moved") or not os.path.isfile(path):
            self.send_error(404)
            return
        if how == "moved":
            self.send_response(302)
            self.send_header("Location", "/good/" + name)
            self.end_headers()
            return
        with open(path, "rb") as file:
            body = file.read()
        half = body[: len(body) // 2]
        if how == "broken":
            body = half + bytes([body[len(half)] ^ 1]) + body[len(half) + 1 :]
        elif how == "short":
            body = half
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if how == "slow":
            self.wfile.write(body[:4])
            self.wfile.flush()
            time.sleep(20)
        elif how == "trickle":
            for start in range(0, len(body), 1000):
                self.wfile.write(body[start : start + 1000])
                self.wfile.flush()
                time.sleep(0.25)
        elif how == "cut":
            self.wfile.write(half)
        else:
            self.wfile.write(body)

    def log_message(self, *words):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # a client that gives up early is what some tests are about


def end_with(parent):
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)


# A test that dies must not leave its server behind.
threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
server = Server(("127.0.0.1", 0), Mirror)
print(server.server_address[1], flush=True)
server.serve_forever()
