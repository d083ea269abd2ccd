"""Redis on three nodes with Sentinel, and HAProxy as the door to the primary:
the files of k8s/components/redis-sentinel, with addresses of this machine."""

import os
import pathlib
import re
import shutil
import socket
import sys

from redis import ask

NODES = 3
FILES = pathlib.Path(__file__).resolve().parents[2] / "k8s/components/redis-sentinel"


def parts(folder, setting):
    """Every part by its name: redis1, sentinel1, …, door."""
    found = {"door": Door(folder, setting)}
    for n in range(1, NODES + 1):
        found[f"redis{n}"] = Node(folder, setting, n)
        found[f"sentinel{n}"] = Sentinel(folder, setting, n)
    return found


def primary(setting):
    """The primary's number by any Sentinel that knows; the first before one does."""
    for port in setting["sentinels"]:
        reply = ask(port, setting["password"], "SENTINEL get-master-addr-by-name zkwhirl", 5)
        found = re.search(rb"127\.0\.0\.1\r\n\$\d+\r\n(\d+)\r\n", reply)
        if found:
            return setting["ports"].index(int(found[1])) + 1
    return 1


def here(name, text, places):
    """A committed file with the cluster's places replaced by this machine's."""
    for there, place in places.items():
        if there not in text:
            sys.exit(f"services: {name} says {there} no more")
        text = text.replace(there, place)
    return text


class Part:
    """What a part has: a folder, a port, a configuration that is made anew at
    each start, as in a pod."""

    def __init__(self, folder, setting, name, port):
        self.folder = folder / name
        self.setting = setting
        self.port = port
        self.password = setting["password"]

    def write(self, text):
        self.folder.mkdir(mode=0o700, exist_ok=True)
        file = self.folder / "conf"
        file.write_text(text)
        file.chmod(0o600)
        return str(file)

    def primary_port(self):
        return self.setting["ports"][primary(self.setting) - 1]

    def where(self):
        return f"127.0.0.1:{self.port}"


class Node(Part):
    def __init__(self, folder, setting, n):
        super().__init__(folder, setting, f"redis{n}", setting["ports"][n - 1])

    def command(self):
        primary_port = self.primary_port()
        text = here("redis.conf", (FILES / "redis.conf").read_text(), {
            "port 6379": f"port {self.port}", "dir /data": f"dir {self.folder}"})
        text += (
            "bind 127.0.0.1\nset-proc-title no\n"
            f"requirepass {self.password}\nmasterauth {self.password}\n")
        if primary_port != self.port:
            text += f"replicaof 127.0.0.1 {primary_port}\n"
        return [shutil.which("redis-server"), self.write(text)], dict(os.environ)

    def ready(self):
        said = ask(self.port, self.password, "INFO replication", 4)
        return b"role:master" in said or b"master_link_status:up" in said


class Sentinel(Part):
    def __init__(self, folder, setting, n):
        super().__init__(folder, setting, f"sentinel{n}", setting["sentinels"][n - 1])

    def command(self):
        script = (FILES / "start-sentinel").read_text()
        text = here("start-sentinel", re.search(r"<<CONF\n(.*)\nCONF\n", script, re.S)[1], {
            "port 26379": f"port {self.port}",
            "$REDIS_PASSWORD": self.password,
            "$POD_NAME.$nodes": "127.0.0.1",
            "$primary 6379": f"127.0.0.1 {self.primary_port()}",
        })
        text += f"\nbind 127.0.0.1\ndir {self.folder}\nset-proc-title no\n"
        return [shutil.which("redis-server"), self.write(text), "--sentinel"], dict(os.environ)

    def ready(self):
        """When a primary that dies now would have a successor."""
        said = ask(self.port, self.password, "INFO sentinel", 4)
        return b"status=ok,address=" in said and b"slaves=2,sentinels=3" in said


class Door(Part):
    def __init__(self, folder, setting):
        super().__init__(folder, setting, "door", setting["door"])

    def command(self):
        nodes = {f"redis-{n}.redis-nodes.zkwhirl.svc.cluster.local:6379": f"127.0.0.1:{port}"
                 for n, port in enumerate(self.setting["ports"])}
        text = here("haproxy.cfg", (FILES / "haproxy.cfg").read_text(), {
            "bind :6379": f"bind 127.0.0.1:{self.port}",
            "bind :8404": f"bind 127.0.0.1:{self.setting['health']}", **nodes})
        # It is not in every user's path.
        program = shutil.which("haproxy") or "/usr/sbin/haproxy"
        return [program, "-db", "-f", self.write(text)], {
            **os.environ, "REDIS_PASSWORD": self.password}

    def ready(self):
        try:
            with socket.create_connection(("127.0.0.1", self.setting["health"]), timeout=2) as wire:
                wire.sendall(b"GET /readyz HTTP/1.0\r\n\r\n")
                return b" 200 " in wire.recv(100)
        except OSError:
            return False

    def url(self):
        return f"redis://:{self.password}@127.0.0.1:{self.port}/"
