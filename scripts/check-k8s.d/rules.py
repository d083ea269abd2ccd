"""The alert and recording rules of dashboards/rules as a PrometheusRule.

  python rules.py --write     writes dashboards/prometheus-rules.yaml
  python rules.py --check     exit code 1 when it is not what the rules say
"""

import pathlib
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
RULES = ROOT / "dashboards/rules"
TARGET = ROOT / "dashboards/prometheus-rules.yaml"
HEAD = "# Made from rules/*.yaml by scripts/check-k8s rules; do not edit.\n"


def rendered():
    groups = []
    for file in sorted(RULES.glob("*.yaml")):
        groups += yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
    rule = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "zkwhirl"},
        "spec": {"groups": groups},
    }
    return HEAD + yaml.safe_dump(rule, sort_keys=False, width=100, allow_unicode=True)


if sys.argv[1:] == ["--write"]:
    TARGET.write_text(rendered(), encoding="utf-8")
elif TARGET.read_text(encoding="utf-8") != rendered():
    sys.exit(f"{TARGET.relative_to(ROOT)} is not what dashboards/rules say: scripts/check-k8s rules")
