"""A Redis server: everything on disk within a second, nothing evicted."""

import os
import shutil
import socket


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
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as wire:
                wire.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                reply = b""
                while reply.count(b"\n") < 2:
                    got = wire.recv(200)
                    if not got:
                        return False
                    reply += got
                return b"PONG" in reply
        except OSError:
            return False

    def url(self):
        return f"redis://:{self.password}@127.0.0.1:{self.port}/"

    def where(self):
        return f"127.0.0.1:{self.port}"
