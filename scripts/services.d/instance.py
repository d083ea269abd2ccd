"""One instance: its folder, its processes, and what is done to them."""

import contextlib
import fcntl
import json
import os
import pathlib
import secrets
import select
import shutil
import signal
import subprocess
import sys
import time

import prometheus
import rabbitmq
import redis
import sentinel
from ports import free_ports, give_back

# Every process carries this in its environment, so that it can be found again
# whatever it forks into and whoever started it.
MARK = "ZKWHIRL_SERVICES_PART"
# A start takes 10 s, and minutes beside builds that take every core; a process
# that ends is noticed at once.
START_S = 600
STOP_S = 30


class Problem(Exception):
    """What the user is told, as one sentence."""


def root():
    given = os.environ.get("ZKWHIRL_SERVICES_DIR")
    if given:
        return pathlib.Path(given).absolute()
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return pathlib.Path(state) / "zkwhirl-services"


def names():
    return sorted(path.parent.name for path in root().glob("*/state.json"))


def up(name, wanted, with_pid):
    this = Instance(name)
    this.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with this.locked():
        if this.state_file.exists():
            this.load()
        this.extend(wanted)
        this.save()
        # Before anything runs: the process may end while we start.
        if with_pid:
            this.spawn_watcher(with_pid)
        this.begin_all(sorted(this.parts()))
    return this


class Instance:
    def __init__(self, name):
        if not name or not all(c.isalnum() or c in "-_." for c in name) or name[0] == ".":
            raise Problem(f"{name!r} cannot be the name of an instance")
        self.name = name
        self.folder = root() / name
        self.state_file = self.folder / "state.json"
        self.state = {}

    def load(self):
        try:
            self.state = json.loads(self.state_file.read_text())
        except FileNotFoundError:
            raise Problem(f"there is no instance {self.name!r}; scripts/services up"
                          f" --name {self.name} makes one") from None

    def save(self):
        partial = self.state_file.with_suffix(".new")
        partial.write_text(json.dumps(self.state, indent=1))
        partial.rename(self.state_file)

    @contextlib.contextmanager
    def locked(self):
        """Two commands on one instance wait for each other."""
        handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def extend(self, wanted):
        state = self.state
        nodes = wanted["rabbitmq"]
        if nodes and state.get("rabbitmq", {}).get("nodes", nodes) != nodes:
            raise Problem(f"the instance {self.name!r} has another number of RabbitMQ nodes:"
                          f" scripts/services down --name {self.name} first")
        if nodes and "rabbitmq" not in state:
            ports = iter(free_ports(1 + 5 * nodes, self.folder))
            state["rabbitmq"] = {
                "nodes": nodes,
                "epmd": next(ports),
                "ports": [[next(ports) for _ in range(5)] for _ in range(nodes)],
                "password": secrets.token_hex(12),
                "cookie": secrets.token_hex(12),
                "consumer_timeout_s": wanted["consumer_timeout_s"],
                "tls": bool(wanted["tls"]),
            }
            if wanted["tls"]:
                rabbitmq.copy_certificates(wanted["tls"], self.folder)
        if wanted["prometheus"] and "prometheus" not in state:
            state["prometheus"] = {"port": free_ports(1, self.folder)[0], "workers": wanted["workers"]}
        if not wanted["redis"]:
            return
        if bool(wanted["sentinel"]) != ("sentinels" in state.get("redis", {})) and "redis" in state:
            raise Problem(f"the instance {self.name!r} has another Redis:"
                          f" scripts/services down --name {self.name} first")
        if "redis" not in state and wanted["sentinel"]:
            ports = free_ports(2 + 2 * sentinel.NODES, self.folder)
            state["redis"] = {"door": ports[0], "health": ports[1], "ports": ports[2::2],
                              "sentinels": ports[3::2], "password": secrets.token_hex(12)}
        elif "redis" not in state:
            state["redis"] = {"port": free_ports(1, self.folder)[0], "password": secrets.token_hex(12)}

    def parts(self):
        found = {}
        if "rabbitmq" in self.state:
            setting = self.state["rabbitmq"]
            for n in range(1, setting["nodes"] + 1):
                found[f"rabbitmq{n}"] = rabbitmq.Node(self.folder, setting, n)
        if self.has_sentinel():
            found |= sentinel.parts(self.folder, self.state["redis"])
        elif "redis" in self.state:
            found["redis"] = redis.Server(self.folder, self.state["redis"])
        if "prometheus" in self.state:
            found["prometheus"] = prometheus.Server(self.folder, self.state["prometheus"])
        return found

    def has_sentinel(self):
        return "sentinels" in self.state.get("redis", {})

    def select(self, part):
        parts = self.parts()
        chosen = [name for name in parts if name == part or name.rstrip("0123456789") == part]
        if not chosen:
            raise Problem(f"the instance {self.name!r} has no part {part!r}; it has"
                          f" {', '.join(parts)}")
        return chosen

    def mark(self, part):
        return f"{self.folder}/{part}"

    def running(self, part=None):
        """Process ids of a part, or of all of the instance."""
        wanted = f"{MARK}={self.mark(part)}" if part else f"{MARK}={self.folder}/"
        pids = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) == os.getpid():
                continue
            try:
                environ = pathlib.Path("/proc", entry, "environ").read_bytes()
                dead = pathlib.Path("/proc", entry, "stat").read_text().rpartition(")")[2][1] == "Z"
            except OSError:
                continue
            marks = [v.decode(errors="replace") for v in environ.split(b"\0")
                     if v.startswith(MARK.encode())]
            if not dead and any(m == wanted if part else m.startswith(wanted) for m in marks):
                pids.append(int(entry))
        return sorted(pids)

    def spawn(self, part, command, env):
        log = open(self.folder / f"{part}.out", "ab")
        env = {**env, MARK: self.mark(part)}
        # A session of its own: it outlives the shell that called us.
        return subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=log,
                                stderr=log, start_new_session=True, cwd=self.folder)

    def begin(self, part):
        with self.locked():
            self.begin_all(self.select(part))

    def begin_all(self, chosen):
        parts = self.parts()
        if any(name.startswith("rabbitmq") for name in chosen) and not self.running("epmd"):
            self.spawn("epmd", *rabbitmq.epmd(self.state["rabbitmq"]))
        started = {}
        for name in chosen:
            if not self.running(name):
                started[name] = self.spawn(name, *parts[name].command())
        deadline = time.monotonic() + START_S
        for name in chosen:
            while not parts[name].ready():
                process = started.get(name)
                if process and process.poll() is not None:
                    raise Problem(f"{name} ended with {process.returncode}:\n{self.tail(name)}")
                if time.monotonic() > deadline:
                    raise Problem(f"{name} is not ready after {START_S} s:\n{self.tail(name)}")
                time.sleep(0.1)

    def tail(self, part):
        with contextlib.suppress(OSError):
            text = (self.folder / f"{part}.out").read_text(errors="replace")
            return "\n".join(text.splitlines()[-20:])
        return ""

    def end(self, part, gently):
        with self.locked():
            for name in self.select(part):
                self.end_pids(lambda name=name: self.running(name), gently)

    def end_pids(self, find, gently):
        deadline = time.monotonic() + STOP_S
        while pids := find():
            late = time.monotonic() > deadline
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM if gently and not late else signal.SIGKILL)
            step = time.monotonic() + (STOP_S if gently and not late else 1)
            while time.monotonic() < step and find():
                time.sleep(0.02)

    def down(self):
        # No lock: an `up` that hangs must be ended as well. Its folder goes
        # last, so that a second look finds whatever it started meanwhile.
        self.end_pids(self.running, gently=False)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.end_pids(self.running, gently=False)
        shutil.rmtree(self.folder, ignore_errors=True)
        give_back(self.folder)
        with contextlib.suppress(OSError):
            root().rmdir()
        return 0

    def spawn_watcher(self, pid):
        script = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))),
                              "services")
        command = [sys.executable, script, "watch", "--name", self.name, str(pid)]
        self.spawn("watch", command, dict(os.environ))

    def watch(self, pid):
        """Waits for the end of a process, then takes the instance down."""
        with contextlib.suppress(ProcessLookupError):
            wait_readable(os.pidfd_open(pid))
        os.chdir("/")
        return self.down()

    def urls(self):
        found = {}
        if "rabbitmq" in self.state:
            nodes = [part for name, part in self.parts().items() if name.startswith("rabbitmq")]
            found["amqp"] = [node.amqp_url() for node in nodes]
            if self.state["rabbitmq"]["tls"]:
                found["amqps"] = [node.amqps_url() for node in nodes]
            found["management"] = [node.management_url() for node in nodes]
            found["rabbitmq_metrics"] = [node.metrics_address() for node in nodes]
        if self.has_sentinel():
            found["redis"] = self.parts()["door"].url()
            found["redis_primary"] = f"redis{sentinel.primary(self.state['redis'])}"
        elif "redis" in self.state:
            found["redis"] = self.parts()["redis"].url()
        if "prometheus" in self.state:
            found["prometheus"] = self.parts()["prometheus"].url()
        return found

    def print_urls(self, as_json):
        urls = self.urls()
        if as_json:
            print(json.dumps({"name": self.name, "folder": str(self.folder), **urls}))
            return 0
        if "amqp" in urls:
            print(f"export ZKWHIRL_AMQP_URL='{','.join(urls['amqp'])}'")
            print(f"export ZKWHIRL_AMQP_MANAGEMENT_URL='{urls['management'][0]}'")
        if "redis" in urls:
            print(f"export ZKWHIRL_REDIS_URL='{urls['redis']}'")
        if "prometheus" in urls:
            # For people: no role reads it.
            print(f"export PROMETHEUS_URL='{urls['prometheus']}'")
            print(f"Prometheus at {urls['prometheus']}", file=sys.stderr)
        return 0

    def status(self):
        worst = 0
        for name, part in self.parts().items():
            pids = self.running(name)
            state = "up" if pids and part.ready() else "starting" if pids else "down"
            worst |= state != "up"
            print(f"{self.name:12} {name:10} {state:9} {part.where()}"
                  f"{'  pid ' + str(pids[0]) if pids else ''}")
        return worst

    def print_pids(self):
        for name in [*self.parts(), "epmd", "watch"]:
            if pids := self.running(name):
                print(name, *pids)
        return 0

    def ctl(self, args):
        for name, part in self.parts().items():
            if name.startswith("rabbitmq") and self.running(name):
                command, env = part.ctl(args)
                return subprocess.run(command, env=env, check=False).returncode
        raise Problem(f"no RabbitMQ node of {self.name!r} runs")


def wait_readable(handle):
    """A process's handle is readable when it has ended."""
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    poll.poll()
