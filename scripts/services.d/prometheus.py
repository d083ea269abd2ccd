"""A Prometheus beside the fleet, with our recording and alert rules."""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import urllib.request

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
# Where the README has the roles serve /metrics.
BRIDGE, FIRST_WORKER = 9464, 9471


def targets(workers):
    """What is scraped: a bridge and some workers at their usual ports."""
    where = {"bridge": [BRIDGE], "worker": range(FIRST_WORKER, FIRST_WORKER + workers)}
    return [{"targets": [f"127.0.0.1:{port}" for port in ports], "labels": {"job": job}}
            for job, ports in where.items()]


class Server:
    def __init__(self, folder, setting):
        self.folder = folder / "prometheus"
        self.port = setting["port"]
        self.workers = setting["workers"]

    def command(self):
        self.folder.mkdir(mode=0o700, exist_ok=True)
        rules = [str(REPOSITORY / "dashboards/rules" / name)
                 for name in ("recording.yaml", "alerts.yaml")]
        # JSON is YAML.
        file = self.folder / "prometheus.yml"
        file.write_text(json.dumps({
            "global": {"scrape_interval": "2s", "evaluation_interval": "5s"},
            "rule_files": rules,
            "scrape_configs": [{"job_name": "zkwhirl", "static_configs": targets(self.workers)}],
        }))
        found = subprocess.run([REPOSITORY / "scripts/prometheus"], check=False, text=True,
                               stdout=subprocess.PIPE)
        if found.returncode != 0:
            sys.exit("services: cannot get Prometheus' Debian package")
        return [found.stdout.strip(), f"--config.file={file}", f"--storage.tsdb.path={self.folder}/data",
                f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn"], dict(os.environ)

    def ready(self):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with contextlib.suppress(OSError, socket.timeout):
            with opener.open(f"{self.url()}/-/ready", timeout=5) as reply:
                return reply.status == 200
        return False

    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def where(self):
        return self.url()
