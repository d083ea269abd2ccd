"""Free TCP ports on the loopback interface."""

import contextlib
import random
import socket

# Below the range that the kernel takes outgoing connections' ports from, so
# that a part which is down for a while finds its port free when it returns.
FIRST, LAST = 12_000, 32_000


def free_ports(count):
    """Ports that nobody listens on, all different."""
    found = []
    with contextlib.ExitStack() as held:
        while len(found) < count:
            port = random.randrange(FIRST, LAST)
            probe = held.enter_context(socket.socket())
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found.append(port)
    return found
