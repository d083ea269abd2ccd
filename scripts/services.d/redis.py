"""A Redis server: everything on disk within a second, nothing evicted."""

import os
import shutil
import socket


def ask(port, password, command, lines):
    """What a server says to one command, so many lines at least; nothing when it
    is away."""
    reply = b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as wire:
            wire.sendall(f"AUTH {password}\r\n{command}\r\n".encode())
            while reply.count(b"\n") < 1 + lines:
                got = wire.recv(1 << 16)
                if not got:
                    break
                reply += got
    except OSError:
        return b""
    return reply


class Server:
    def __init__(self, folder, setting):
        self.folder = folder / "redis"
        self.port = setting["port"]
        self.password = setting["password"]

    def command(self):
        self.folder.mkdir(mode=0o700, exist_ok=True)
        settings = {
            "bind": "127.0.0.1",
            "port": self.port,
            "requirepass": self.password,
            "dir": self.folder,
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
            # Requests come packed: packing them again only heats the room.
            "rdbcompression": "no",
            "save": '""',
            "daemonize": "no",
            # It would overwrite the environment by which it is found.
            "set-proc-title": "no",
        }
        file = self.folder / "redis.conf"
        file.write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
        file.chmod(0o600)
        return [shutil.which("redis-server"), str(file)], dict(os.environ)

    def ready(self):
        return b"PONG" in ask(self.port, self.password, "PING", 1)

    def url(self):
        return f"redis://:{self.password}@127.0.0.1:{self.port}/"

    def where(self):
        return f"127.0.0.1:{self.port}"
