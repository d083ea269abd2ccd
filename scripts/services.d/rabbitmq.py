"""RabbitMQ nodes: one, or three that form a cluster by themselves."""

import base64
import os
import shutil
import socket
import urllib.request

import packages

USER, VHOST = "zkwhirl", "zkwhirl"
# The largest message: what RabbitMQ 4 has by default; 3.x takes 128 MiB.
MESSAGE_BYTES = 16 << 20


def epmd(setting):
    """The nodes' own name server: two instances have nodes of the same names."""
    command = [shutil.which("epmd"), "-port", str(setting["epmd"]), "-address", "127.0.0.1"]
    return command, dict(os.environ)


def copy_certificates(source, folder):
    """Into the instance: the originals may go while it runs."""
    for name in ("ca.pem", "cert.pem", "key.pem"):
        shutil.copyfile(os.path.join(source, name), folder / name)
        (folder / name).chmod(0o600)


class Node:
    def __init__(self, folder, setting, number):
        self.setting = setting
        self.number = number
        self.folder = folder / f"rabbitmq{number}"
        self.certificates = folder
        ports = setting["ports"][number - 1]
        self.amqp, self.management, self.distribution, self.amqps, self.metrics = ports

    def name(self, number=None):
        return f"rabbit{number or self.number}@localhost"

    def env(self):
        base = self.folder
        return {
            **{key: os.environ[key] for key in ("PATH", "LANG", "TERM") if key in os.environ},
            "HOME": str(base),
            "RABBITMQ_NODENAME": self.name(),
            "RABBITMQ_NODE_PORT": str(self.amqp),
            "RABBITMQ_DIST_PORT": str(self.distribution),
            "RABBITMQ_MNESIA_BASE": str(base / "mnesia"),
            "RABBITMQ_LOG_BASE": str(base / "log"),
            "RABBITMQ_PID_FILE": str(base / "pid"),
            "RABBITMQ_CONFIG_FILE": str(base / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(base / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(base / "enabled_plugins"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "ERL_EPMD_PORT": str(self.setting["epmd"]),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            # Schedulers that spin while idle would take the processor from
            # everything else on a small machine.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS":
                "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2"
                " +sbwt none +sbwtdcpu none +sbwtdio none",
        }

    def command(self):
        for part in ("mnesia", "log"):
            (self.folder / part).mkdir(mode=0o700, parents=True, exist_ok=True)
        cookie = self.folder / ".erlang.cookie"
        if not cookie.exists():
            cookie.write_text(self.setting["cookie"])
            cookie.chmod(0o400)
        conf = self.folder / "rabbitmq.conf"
        conf.write_text("".join(f"{key} = {value}\n" for key, value in self.settings().items()))
        conf.chmod(0o600)
        # Counters are as fresh as a test would like them: of quorum queues, and of
        # bytes, which are sampled every 5 s otherwise.
        samples = ",".join(f"{{{kind},[{{605,1}}]}}" for kind in ("global", "basic", "detailed"))
        (self.folder / "advanced.config").write_text(
            "[{rabbit,[{quorum_tick_interval,1000}]},"
            f"{{rabbitmq_management_agent,[{{sample_retention_policies,[{samples}]}}]}}].\n")
        (self.folder / "enabled_plugins").write_text("[rabbitmq_management, rabbitmq_prometheus].\n")
        return [f"{packages.rabbitmq_home()}/sbin/rabbitmq-server"], self.env()

    def settings(self):
        settings = {
            "listeners.tcp.1": f"127.0.0.1:{self.amqp}",
            "management.tcp.ip": "127.0.0.1",
            "management.tcp.port": self.management,
            "prometheus.tcp.ip": "127.0.0.1",
            "prometheus.tcp.port": self.metrics,
            "collect_statistics_interval": 1000,
            "default_user": USER,
            "default_pass": self.setting["password"],
            "default_vhost": VHOST,
            "consumer_timeout": self.setting["consumer_timeout_s"] * 1000,
            "max_message_size": MESSAGE_BYTES,
            "vm_memory_high_watermark.absolute": "1GB",
            "disk_free_limit.absolute": "100MB",
            "raft.wal_max_size_bytes": 64 << 20,
            "log.file.level": "warning",
            "log.console": "false",
        }
        if self.setting["tls"]:
            settings["listeners.ssl.1"] = f"127.0.0.1:{self.amqps}"
            for key, name in (("cacertfile", "ca"), ("certfile", "cert"), ("keyfile", "key")):
                settings[f"ssl_options.{key}"] = self.certificates / f"{name}.pem"
            # Clients show a certificate of the same authority.
            settings["ssl_options.verify"] = "verify_peer"
            settings["ssl_options.fail_if_no_peer_cert"] = "true"
        nodes = self.setting["nodes"]
        if nodes > 1:
            settings["cluster_formation.peer_discovery_backend"] = "classic_config"
            for n in range(1, nodes + 1):
                settings[f"cluster_formation.classic_config.nodes.{n}"] = self.name(n)
        return settings

    def ready(self):
        try:
            with socket.create_connection(("127.0.0.1", self.amqp), timeout=2) as wire:
                wire.sendall(b"AMQP\0\0\x09\x01")
                if not wire.recv(1):
                    return False
            nodes = self.ask("/api/nodes?columns=name,running")
        except OSError:
            return False
        # A node that was killed may be the only one that comes back now: this
        # one is ready when it and, on the first start, its peers are known.
        return nodes.count(b'"name"') == self.setting["nodes"]

    def ask(self, path):
        request = urllib.request.Request(f"http://127.0.0.1:{self.management}{path}")
        word = base64.b64encode(f"{USER}:{self.setting['password']}".encode()).decode()
        request.add_header("Authorization", f"Basic {word}")
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
                request, timeout=5) as reply:
            return reply.read()

    def ctl(self, args):
        return [f"{packages.rabbitmq_home()}/sbin/rabbitmqctl", *args], self.env()

    def amqp_url(self):
        return f"amqp://{USER}:{self.setting['password']}@127.0.0.1:{self.amqp}/{VHOST}"

    def amqps_url(self):
        return f"amqps://{USER}:{self.setting['password']}@127.0.0.1:{self.amqps}/{VHOST}"

    def management_url(self):
        return f"http://{USER}:{self.setting['password']}@127.0.0.1:{self.management}"

    def metrics_address(self):
        return f"127.0.0.1:{self.metrics}"

    def where(self):
        return f"127.0.0.1:{self.amqp}"
