"""Free TCP ports on the loopback interface."""

import contextlib
import fcntl
import os
import pathlib
import random
import socket
import tempfile

# Below the range that the kernel takes outgoing connections' ports from, so
# that a part which is down for a while finds its port free when it returns.
FIRST, LAST = 12_000, 32_000
# A link for each port that an instance has, to the instance's folder. A part
# binds its port seconds after it was chosen: other instances must know.
TAKEN = pathlib.Path(tempfile.gettempdir()) / f"zkwhirl-ports-{os.getuid()}"


def free_ports(count, folder):
    """Ports, all different, that no other instance has and no process listens on."""
    found = []
    with locked():
        while len(found) < count:
            port = random.randrange(FIRST, LAST)
            link = TAKEN / str(port)
            # A link to nothing: the instance was removed by hand.
            if not link.exists() and is_free(port):
                link.unlink(missing_ok=True)
                link.symlink_to(folder)
                found.append(port)
    return found


def give_back(folder):
    """The ports of an instance may be another's."""
    with locked():
        for link in TAKEN.iterdir():
            if os.readlink(link) == str(folder):
                link.unlink()


@contextlib.contextmanager
def locked():
    TAKEN.mkdir(mode=0o700, exist_ok=True)
    handle = os.open(TAKEN, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
