"""Installs the Debian packages, without letting them start a service."""

import contextlib
import fcntl
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

RABBITMQ = "/usr/lib/rabbitmq/lib"
POLICY = "/usr/sbin/policy-rc.d"


def rabbitmq_home():
    """The folder of RabbitMQ itself: the scripts in /usr/sbin change the user."""
    try:
        versions = sorted(os.listdir(RABBITMQ))
    except FileNotFoundError:
        return None
    homes = [f"{RABBITMQ}/{v}" for v in versions if os.path.exists(f"{RABBITMQ}/{v}/sbin")]
    return homes[-1] if homes else None


def install(wanted):
    missing = []
    if wanted["rabbitmq"] and not (rabbitmq_home() and shutil.which("erl")):
        missing.append("rabbitmq-server")
    if wanted["redis"] and not shutil.which("redis-server"):
        missing.append("redis-server")
    if wanted["sentinel"] and not (shutil.which("haproxy") or os.path.exists("/usr/sbin/haproxy")):
        missing.append("haproxy")
    if not missing:
        return
    if not shutil.which("apt-get"):
        sys.exit(f"services: please install {' and '.join(missing)}")
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    apt = [*as_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o",
           "DPkg::Lock::Timeout=300"]
    print(f"services: installing {', '.join(missing)}", file=sys.stderr)
    with alone(), no_service_starts(as_root):
        run([*apt, "update"], env)
        run([*apt, "install", "-y", "--no-install-recommends", *missing], env)
    # Where systemd runs, the packages are enabled for the next boot.
    if os.path.isdir("/run/systemd/system"):
        subprocess.run([*as_root, "systemctl", "disable", "--now", *missing],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


def run(command, env):
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"services: {' '.join(command)} failed:\n{done.stdout[-2000:]}")


@contextlib.contextmanager
def alone():
    """Two commands install one after the other."""
    with open(pathlib.Path(tempfile.gettempdir()) / f"zkwhirl-install-{os.getuid()}", "w",
              encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def no_service_starts(as_root):
    """Debian asks this file whether a package may start its service; an
    administrator's own answer is left alone."""
    ours = not os.path.exists(POLICY)
    if ours:
        subprocess.run([*as_root, "sh", "-c",
                        f"printf '#!/bin/sh\\nexit 101\\n' > {POLICY}; chmod 755 {POLICY}"],
                       check=True)
    try:
        yield
    finally:
        if ours:
            subprocess.run([*as_root, "rm", "-f", POLICY], check=False)
