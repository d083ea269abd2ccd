"""What no schema knows about the rendered manifests.

  python policies.py OVERLAY=FILE…

Every policy is a function over a rendering that yields what is wrong. Each is
shown to work before it is trusted: MUTATIONS breaks the manifests of production
in one way each, and the named policy must say so.
"""

import copy
import re
import sys

import celpy
import yaml

# What an r5.8xlarge has left for pods, and what DaemonSets take of it.
NODE_MIB = 239_500
DAEMONS_MIB = 4_096
# A drained worker still publishes, confirms and says goodbye.
GRACE_MARGIN_S = 30
FLEET = 32
# A target at which one job more than pods is seen by an autoscaler that ignores
# a tenth, in thousandths: for up to 32 pods.
TARGETS = range(900, 939)


class Rendering:
    """The objects of one overlay."""

    def __init__(self, name, objects):
        self.name = name
        self.objects = objects
        self.is_production = name.startswith("prod")

    def of(self, *kinds):
        return [o for o in self.objects if o["kind"] in kinds]

    def get(self, kind, name):
        return next((o for o in self.of(kind) if o["metadata"]["name"] == name), None)

    def workloads(self):
        """(name, object, pod template) of everything that makes pods."""
        for o in self.of("Deployment", "StatefulSet", "Job"):
            yield o["metadata"]["name"], o, o["spec"]["template"]
        # The operator makes these pods.
        for o in self.of("RabbitmqCluster"):
            override = o["spec"]["override"]["statefulSet"]["spec"]["template"]
            ports = {"amqp": 5672, "management": 15672, "prometheus": 15692,
                     "epmd": 4369, "cluster": 25672}
            yield o["metadata"]["name"], o, {
                "metadata": override["metadata"],
                "spec": {"containers": [{"name": "rabbitmq", "ports": [
                    {"name": n, "containerPort": p} for n, p in ports.items()]}]},
            }

    def ours(self):
        return [(n, o, t) for n, o, t in self.workloads()
                if t["metadata"]["labels"].get("app.kubernetes.io/name") == "zkwhirl"]

    def workers(self):
        return [(n, o, t) for n, o, t in self.ours() if n.startswith("worker-")]

    def pods_of(self, selector):
        return [(n, t) for n, _, t in self.workloads()
                if matches(selector, t["metadata"]["labels"])]


def matches(selector, labels):
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    for e in selector.get("matchExpressions") or []:
        has = e["key"] in labels
        value = labels.get(e["key"])
        good = {"In": has and value in e.get("values", []),
                "NotIn": value not in e.get("values", []),
                "Exists": has, "DoesNotExist": not has}[e["operator"]]
        if not good:
            return False
    return True


def env(container):
    return {e["name"]: e for e in container.get("env", [])}


def mib(quantity):
    number, unit = re.fullmatch(r"(\d+)(Mi|Gi)", quantity).groups()
    return int(number) * (1024 if unit == "Gi" else 1)


def seconds(text):
    number, unit = re.fullmatch(r"(\d+)(s|m|h)", text).groups()
    return int(number) * {"s": 1, "m": 60, "h": 3600}[unit]


def one_scaler_that_owns_its_fleet(r):
    scalers = r.of("HorizontalPodAutoscaler", "ScaledObject")
    if len(scalers) != (1 if r.is_production else 0):
        yield f"{len(scalers)} autoscalers"
    for scaler in scalers:
        target = r.get("Deployment", scaler["spec"]["scaleTargetRef"]["name"])
        if target is None:
            yield "the autoscaler's Deployment does not exist"
        elif "replicas" in target["spec"]:
            yield "the autoscaled Deployment has replicas: applying it would fight the autoscaler"
        spec = scaler["spec"]
        low = spec.get("minReplicas", spec.get("minReplicaCount"))
        high = spec.get("maxReplicas", spec.get("maxReplicaCount"))
        base = r.get("Deployment", "worker-inner-base")["spec"]["replicas"]
        if low != 1 or high + base != FLEET:
            yield f"the inner fleet has {low} to {high} + {base} workers, not 1 to {FLEET}"


def the_signal_is_outstanding_jobs_without_the_tolerance_trap(r):
    for hpa in r.of("HorizontalPodAutoscaler"):
        [metric] = hpa["spec"]["metrics"]
        name = metric["external"]["metric"]["name"]
        target = metric["external"]["target"]["averageValue"]
        if int(target.removesuffix("m")) not in TARGETS or not target.endswith("m"):
            yield f"target {target} is not below 939m"
        configs = [c["data"]["config.yaml"] for c in r.of("ConfigMap")
                   if c["metadata"]["name"].startswith("prometheus-adapter")]
        rules = [rule for c in configs for rule in yaml.safe_load(c)["externalRules"]]
        served = {rule["name"]["as"]: rule["seriesQuery"] for rule in rules}
        if name not in served:
            yield f"no adapter serves {name}"
            continue
        recorded = {rule["record"]: rule["expr"] for p in r.of("PrometheusRule")
                    for group in p["spec"]["groups"] for rule in group["rules"] if "record" in rule}
        expression = recorded.get(served[name], "")
        for needed in ["zkwhirl_jobs_outstanding", "rabbitmq_detailed_queue_messages{"]:
            if needed not in expression:
                yield f"{served[name]} is not recorded from {needed}"
        if "messages_ready" in expression:
            yield "counts queued jobs alone"
    for scaled in r.of("ScaledObject"):
        [trigger] = scaled["spec"]["triggers"]
        about = trigger["metadata"]
        if about["protocol"] != "http" or about.get("excludeUnacknowledged"):
            yield "KEDA counts queued jobs alone"
        if round(float(about["value"]) * 1000) not in TARGETS:
            yield f"value {about['value']} is not below 0.939"


def selectors_select(r):
    for name, o, template in r.workloads():
        selector = o["spec"].get("selector")
        if selector and not matches(selector, template["metadata"]["labels"]):
            yield f"{name} does not select its own pods"
    for o in r.of("PodDisruptionBudget", "PodMonitor"):
        if not r.pods_of(o["spec"]["selector"]):
            yield f"{o['kind']} {o['metadata']['name']} selects nothing"
    for o in r.of("Service"):
        selector = o["spec"].get("selector")
        if selector and not r.pods_of({"matchLabels": selector}):
            yield f"Service {o['metadata']['name']} selects nothing"
    for o in r.of("NetworkPolicy"):
        if not r.pods_of(o["spec"]["podSelector"]):
            yield f"NetworkPolicy {o['metadata']['name']} selects nothing"


def every_fleet_has_a_budget(r):
    for name, o, template in r.workloads():
        if o["kind"] == "Job" or not r.is_production:
            continue
        labels = template["metadata"]["labels"]
        budgets = [b for b in r.of("PodDisruptionBudget") if matches(b["spec"]["selector"], labels)]
        if len(budgets) != 1:
            yield f"{name} has {len(budgets)} disruption budgets"


def named_ports_exist(r):
    for name, _, template in r.workloads():
        for c in template["spec"]["containers"]:
            ports = {p["name"] for p in c.get("ports", [])}
            for probe in ["startupProbe", "readinessProbe", "livenessProbe"]:
                port = (c.get(probe, {}).get("httpGet") or c.get(probe, {}).get("tcpSocket")
                        or {}).get("port")
                if port is not None and port not in ports:
                    yield f"{name}: {probe} asks port {port}"
            if name != "provision" and "livenessProbe" not in c and "image" in c:
                yield f"{name}: container {c['name']} has no liveness probe"

    def offered(pods):
        return {p["name"] for _, t in pods for c in t["spec"]["containers"]
                for p in c.get("ports", [])}
    for o in r.of("Service"):
        pods = r.pods_of({"matchLabels": o["spec"]["selector"]})
        for port in o["spec"]["ports"]:
            if port["targetPort"] not in offered(pods):
                yield f"Service {o['metadata']['name']} leads to no port {port['targetPort']}"
    for o in r.of("PodMonitor"):
        for end in o["spec"]["podMetricsEndpoints"]:
            if end["port"] not in offered(r.pods_of(o["spec"]["selector"])):
                yield f"PodMonitor {o['metadata']['name']} scrapes no port {end['port']}"


def probes_ask_the_admin_thread_and_nothing_else(r):
    for name, _, template in r.ours():
        if name == "provision":
            continue
        [c] = template["spec"]["containers"]
        for probe, path in [("livenessProbe", "/livez"), ("startupProbe", "/livez"),
                            ("readinessProbe", "/readyz")]:
            if c[probe]["httpGet"] != {"path": path, "port": "admin"}:
                yield f"{name}: {probe} must ask {path} of the admin port"
        live = c["livenessProbe"]
        if live["periodSeconds"] * live["failureThreshold"] < 300 or live["timeoutSeconds"] < 10:
            yield f"{name}: liveness is not patient enough for a machine that proves"
        number = next(p["containerPort"] for p in c["ports"] if p["name"] == "admin")
        if env(c)["ZKWHIRL_ADMIN"]["value"] != f"0.0.0.0:{number}":
            yield f"{name}: the admin port is not where the program listens"


def drains_fit_the_grace(r):
    machines = [seconds(p["spec"]["template"]["spec"]["terminationGracePeriod"])
                for p in r.of("NodePool")]
    for name, _, template in r.workers():
        drain = int(env(template["spec"]["containers"][0])["ZKWHIRL_DRAIN_S"]["value"])
        grace = template["spec"]["terminationGracePeriodSeconds"]
        if drain + GRACE_MARGIN_S > grace:
            yield f"{name}: drains for {drain} s, killed after {grace} s"
        if name == "worker-inner" and any(grace > machine for machine in machines):
            yield f"{name}: its machine goes before its grace of {grace} s ends"


def memory_fits_the_machine(r):
    for name, _, template in r.workers():
        resources = template["spec"]["containers"][0]["resources"]
        asked, limit = resources["requests"]["memory"], resources["limits"]["memory"]
        if r.is_production and asked != limit:
            yield f"{name}: asks for {asked} and may use {limit}: killed when the machine is full"
        if mib(asked) > NODE_MIB - DAEMONS_MIB:
            yield f"{name}: {asked} fit no r5.8xlarge"
        if "cpu" in resources["limits"]:
            yield f"{name}: a limit of cores throttles proofs"


def pods_are_restricted(r):
    for name, o, template in r.workloads():
        if o["kind"] == "RabbitmqCluster":
            continue
        spec = template["spec"]
        pod = spec["securityContext"]
        if not (pod.get("runAsNonRoot") and pod["seccompProfile"]["type"] == "RuntimeDefault"):
            yield f"{name}: the pod is not restricted"
        if spec.get("enableServiceLinks") is not False:
            yield f"{name}: service links would set variables that are refused"
        token = spec.get("automountServiceAccountToken")
        talks = name == "prometheus-adapter" or (name == "bridge" and told(r))
        if token is not talks:
            yield f"{name}: a token for Kubernetes must be {'there' if talks else 'away'}"
        for c in spec["containers"] + spec.get("initContainers", []):
            own = c["securityContext"]
            if own != {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                       "capabilities": {"drop": ["ALL"]}}:
                yield f"{name}/{c['name']}: the container is not restricted"
            if not re.search(r"(:[^/]+|@sha256:.*)$", c["image"]) or c["image"].endswith(":latest"):
                yield f"{name}/{c['name']}: image {c['image']} has no version"
        if o["kind"] != "Job" and r.get("PriorityClass", spec.get("priorityClassName")) is None:
            yield f"{name}: priority class {spec.get('priorityClassName')} does not exist"


def told(r):
    """Whether Kubernetes is told which pods prove."""
    bridge = r.get("StatefulSet", "bridge")["spec"]["template"]["spec"]["containers"][0]
    return "ZKWHIRL_KUBERNETES_API" in env(bridge)


def nothing_of_ours_may_do_more_than_annotate_workers(r):
    """Roles and their holders, and the admission policy on what a role cannot
    narrow: its expressions are evaluated on pods before and after a change."""
    ours = {o["metadata"]["name"] for o in r.of("ServiceAccount")} - {"prometheus-adapter"}
    held = [(b, s["name"]) for b in r.of("RoleBinding", "ClusterRoleBinding")
            for s in b["subjects"] if s["name"] in ours and s["namespace"] == "zkwhirl"]
    if [(b["kind"], b["roleRef"]["name"], who) for b, who in held] != (
            [("RoleBinding", "pod-deletion-cost", "bridge")] if told(r) else []):
        yield f"roles are held: {[(b['roleRef']['name'], who) for b, who in held]}"
    if not told(r):
        return
    if spec_of(r, "Role", "rules") != [
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["patch"]}]:
        yield "the role of the deletion costs allows more than to patch pods"
    policy = r.get("ValidatingAdmissionPolicy", "zkwhirl-pod-deletion-cost")
    bound = [b["spec"] for b in r.of("ValidatingAdmissionPolicyBinding")]
    if policy is None or bound != [
            {"policyName": "zkwhirl-pod-deletion-cost", "validationActions": ["Deny"]}]:
        yield "no admission policy narrows the role"
        return
    bridge = "system:serviceaccount:zkwhirl:bridge"
    for user, watched in [(bridge, True), ("system:serviceaccount:zkwhirl:worker", False)]:
        conditions = policy["spec"]["matchConditions"]
        if all(cel(c["expression"], request={"userInfo": {"username": user}})
               for c in conditions) != watched:
            yield f"{user} is {'not ' if watched else ''}watched"
    for what, change, allowed in CHANGES:
        before = copy.deepcopy(POD)
        after = copy.deepcopy(POD)
        change(before, after)
        if admitted(policy["spec"], before, after) != allowed:
            yield f"{what} is {'refused' if allowed else 'let through'}"


def spec_of(r, kind, field):
    return r.get(kind, "pod-deletion-cost")[field]


def cel(expression, **values):
    environment = celpy.Environment()
    program = environment.program(environment.compile(expression))
    return program.evaluate({k: celpy.json_to_cel(v) for k, v in values.items()})


def admitted(policy, before, after):
    """What the API server says to a change of a pod."""
    values = {"object": after, "oldObject": before, "variables": {}}
    for variable in policy["variables"]:
        value = cel(variable["expression"], **values)
        values["variables"][variable["name"]] = (
            dict((str(k), str(v)) for k, v in value.items()) if isinstance(value, dict) else str(value))
    return all(cel(v["expression"], **values) for v in policy["validations"])


COST = "controller.kubernetes.io/pod-deletion-cost"
POD = {
    "metadata": {"labels": {"zkwhirl.dev/topic": "inner"}, "annotations": {"karpenter.sh/x": "true"},
                 "ownerReferences": [{"kind": "ReplicaSet", "uid": "1"}]},
    "spec": {"containers": [{"name": "zkwhirl", "image": "zkwhirl:1"}]},
}
# (what is asked of the API server, how, whether it may be)
CHANGES = [
    ("a first cost", lambda a, b: b["metadata"]["annotations"].update({COST: "1"}), True),
    ("a first annotation", lambda a, b: (a["metadata"].pop("annotations"),
                                         b["metadata"].update(annotations={COST: "0"})), True),
    ("another cost", lambda a, b: (a["metadata"]["annotations"].update({COST: "1"}),
                                   b["metadata"]["annotations"].update({COST: "0"})), True),
    ("another image", lambda a, b: b["spec"]["containers"][0].update(image="evil:1"), False),
    ("another label", lambda a, b: b["metadata"]["labels"].update(x="y"), False),
    ("no labels", lambda a, b: b["metadata"].pop("labels"), False),
    ("no owner", lambda a, b: b["metadata"].pop("ownerReferences"), False),
    ("another owner", lambda a, b: b["metadata"]["ownerReferences"][0].update(uid="2"), False),
    ("a finalizer", lambda a, b: b["metadata"].update(finalizers=["x"]), False),
    ("another annotation", lambda a, b: b["metadata"]["annotations"].update(x="y"), False),
    ("an annotation's other value",
     lambda a, b: b["metadata"]["annotations"].update({"karpenter.sh/x": "false"}), False),
    ("an annotation less", lambda a, b: b["metadata"].pop("annotations"), False),
    ("a cost of Redis' pod", lambda a, b: (a["metadata"]["labels"].pop("zkwhirl.dev/topic"),
                                           b["metadata"]["labels"].pop("zkwhirl.dev/topic"),
                                           b["metadata"]["annotations"].update({COST: "1"})), False),
]


def what_pods_refer_to_exists(r):
    for name, o, template in r.workloads():
        spec = template["spec"]
        claims = [t["metadata"]["name"] for t in o["spec"].get("volumeClaimTemplates", [])]
        volumes = {v["name"]: v for v in spec.get("volumes", [])}
        maps = [v["configMap"]["name"] for v in volumes.values() if "configMap" in v]
        for c in spec["containers"] + spec.get("initContainers", []):
            maps += [e["configMapRef"]["name"] for e in c.get("envFrom", [])]
            for mount in c.get("volumeMounts", []):
                if mount["name"] not in volumes and mount["name"] not in claims:
                    yield f"{name}: mounts {mount['name']}, which is no volume"
        for each in maps:
            if r.get("ConfigMap", each) is None:
                yield f"{name}: ConfigMap {each} does not exist"
        for v in volumes.values():
            claim = v.get("persistentVolumeClaim", {}).get("claimName")
            if claim and r.get("PersistentVolumeClaim", claim) is None:
                yield f"{name}: volume claim {claim} does not exist"
        account = spec.get("serviceAccountName")
        if account and r.get("ServiceAccount", account) is None:
            yield f"{name}: account {account} does not exist"


def alerts_and_dashboards_are_there(r):
    """The rules' text is compared with dashboards/rules elsewhere."""
    if not r.is_production:
        return
    alerts = [rule for p in r.of("PrometheusRule") for g in p["spec"]["groups"]
              for rule in g["rules"] if "alert" in rule]
    if not any("outstanding" in rule["expr"] for rule in alerts):
        yield "no alert watches outstanding jobs"
    for rule in alerts:
        if not rule["annotations"].get("runbook_url"):
            yield f"{rule['alert']} has no runbook"
    boards = [c for c in r.of("ConfigMap")
              if c["metadata"].get("labels", {}).get("grafana_dashboard") == "1"]
    if not boards or any(len(text) > 900_000 for c in boards for text in c["data"].values()):
        yield "no dashboards, or too large for a ConfigMap"


def secrets_are_nowhere_in_production(r):
    if not r.is_production:
        return
    for o in r.of("Secret"):
        yield f"Secret {o['metadata']['name']} is part of the manifests"
    texts = [(f"ConfigMap {o['metadata']['name']}", key, value)
             for o in r.of("ConfigMap") for key, value in o.get("data", {}).items()]
    texts += [(name, e["name"], e["value"]) for name, _, t in r.workloads()
              for c in t["spec"]["containers"] for e in c.get("env", []) if "value" in e]
    for where, key, value in texts:
        secret = re.search(r"://[^/\s:@]*:[^/\s@$]+@", value)
        if secret or re.search(r"(?i)(password|token|secret)$", key):
            yield f"{where}: {key} holds a secret"


def the_network_is_as_drawn(r):
    """Every edge that is needed, and none of those that nobody needs."""
    def side(policies, pod, direction, peer, port):
        for p in policies:
            spec = p["spec"]
            if direction not in spec["policyTypes"] or not matches(spec["podSelector"], pod):
                continue
            for rule in spec.get(direction.lower(), []):
                ends = rule.get("to" if direction == "Egress" else "from")
                there = ends is None or any(
                    "namespaceSelector" not in e and matches(e["podSelector"], peer)
                    for e in ends)
                if there and any(x["port"] == port for x in rule.get("ports", [])):
                    return True
        return False

    def labels(name):
        return next((t["metadata"]["labels"] for n, _, t in r.workloads() if n == name), None)
    redis = "redis-door" if labels("redis-door") else "redis"
    workers = ["worker-inner", "worker-inner-base", "worker-outer"]
    needed = [(w, "rabbitmq", 5672) for w in workers + ["bridge", "provision"]]
    needed += [(w, redis, 6379) for w in workers + ["bridge"]]
    needed += [("bridge", "rabbitmq", 15672), ("provision", "rabbitmq", 15672),
               ("rabbitmq", "rabbitmq", 25672), ("rabbitmq", "rabbitmq", 4369)]
    if redis == "redis-door":
        needed += [("redis-door", "redis", 6379), ("redis", "redis", 6379), ("redis", "redis", 26379)]
    if labels("falafel"):
        needed += [("bridge", "falafel", 8082), ("bridge", "falafel", 8083)]
    never = [("worker-inner", "rabbitmq", 15672), ("worker-inner", "rabbitmq", 25672),
             ("worker-inner", "bridge", 9464), ("worker-inner", "worker-outer", 9464),
             ("provision", redis, 6379), (redis, "rabbitmq", 5672)]
    if redis == "redis-door":
        never += [("worker-inner", "redis", 6379), ("worker-inner", "redis", 26379)]
    policies = r.of("NetworkPolicy")
    everybody = [p for p in policies if p["spec"]["podSelector"] == {}]
    if not any(set(p["spec"]["policyTypes"]) == {"Ingress", "Egress"} for p in everybody):
        yield "nothing denies by default"
    for edges, wanted in [(needed, True), (never, False)]:
        for source, target, port in edges:
            a, b = labels(source), labels(target)
            if a is None or b is None:
                yield f"{source} or {target} does not exist"
                continue
            open_ = side(policies, a, "Egress", b, port) and side(policies, b, "Ingress", a, port)
            if open_ != wanted:
                yield f"{source} → {target}:{port} is {'open' if open_ else 'closed'}"
    for name, _, template in r.ours():
        anywhere = [x["port"] for p in policies for rule in p["spec"].get("egress", [])
                    if matches(p["spec"]["podSelector"], template["metadata"]["labels"])
                    and "to" not in rule for x in rule.get("ports", [])]
        if sorted(anywhere) != ([443, 6443] if name == "bridge" and told(r) else []):
            yield f"{name} → anywhere: {anywhere}"


def the_brokers_patience_exceeds_every_proof(r):
    texts = [c["data"]["rabbitmq.conf"] for c in r.of("ConfigMap") if "rabbitmq.conf" in c["data"]]
    texts += [c["spec"]["rabbitmq"]["additionalConfig"] for c in r.of("RabbitmqCluster")]
    for text in texts or [""]:
        found = re.search(r"^consumer_timeout = (\d+)$", text, re.M)
        grace = max(t["spec"]["terminationGracePeriodSeconds"] for _, _, t in r.workers())
        if not found or int(found[1]) / 1000 < 2 * grace:
            yield "consumer_timeout takes jobs away from workers that prove"
    known = {"replicas", "image", "terminationGracePeriodSeconds", "persistence", "resources",
             "affinity", "rabbitmq", "override"}
    for cluster in r.of("RabbitmqCluster"):
        for field in set(cluster["spec"]) - known:
            yield f"RabbitmqCluster has no field {field}"


POLICIES = [
    one_scaler_that_owns_its_fleet,
    the_signal_is_outstanding_jobs_without_the_tolerance_trap,
    selectors_select,
    every_fleet_has_a_budget,
    named_ports_exist,
    probes_ask_the_admin_thread_and_nothing_else,
    drains_fit_the_grace,
    memory_fits_the_machine,
    pods_are_restricted,
    nothing_of_ours_may_do_more_than_annotate_workers,
    what_pods_refer_to_exists,
    alerts_and_dashboards_are_there,
    secrets_are_nowhere_in_production,
    the_network_is_as_drawn,
    the_brokers_patience_exceeds_every_proof,
]


def spec(r, kind, name):
    return r.get(kind, name)["spec"]


def inner(r):
    return spec(r, "Deployment", "worker-inner")["template"]


def container(r):
    return inner(r)["spec"]["containers"][0]


# (what is broken, how, the policy that must see it)
MUTATIONS = [
    ("replicas under an autoscaler",
     lambda r: spec(r, "Deployment", "worker-inner").update(replicas=4),
     one_scaler_that_owns_its_fleet),
    ("33 workers", lambda r: spec(r, "HorizontalPodAutoscaler", "worker-inner").update(maxReplicas=32),
     one_scaler_that_owns_its_fleet),
    ("a second autoscaler",
     lambda r: r.objects.append(copy.deepcopy(r.get("HorizontalPodAutoscaler", "worker-inner"))),
     one_scaler_that_owns_its_fleet),
    ("a target of 1",
     lambda r: spec(r, "HorizontalPodAutoscaler", "worker-inner")["metrics"][0]["external"]["target"]
     .update(averageValue="1000m"),
     the_signal_is_outstanding_jobs_without_the_tolerance_trap),
    ("a rule of queued jobs alone",
     lambda r: spec(r, "PrometheusRule", "scaling")["groups"][0]["rules"][0]
     .update(expr='sum(rabbitmq_detailed_queue_messages_ready{queue="x"})'),
     the_signal_is_outstanding_jobs_without_the_tolerance_trap),
    ("a metric that nobody serves",
     lambda r: spec(r, "HorizontalPodAutoscaler", "worker-inner")["metrics"][0]["external"]["metric"]
     .update(name="jobs"),
     the_signal_is_outstanding_jobs_without_the_tolerance_trap),
    ("a misspelt label", lambda r: inner(r)["metadata"]["labels"].update(
        {"app.kubernetes.io/component": "worker-iner"}), selectors_select),
    ("no budget", lambda r: r.objects.remove(r.get("PodDisruptionBudget", "redis")),
     every_fleet_has_a_budget),
    ("a probe of no port",
     lambda r: container(r)["livenessProbe"]["httpGet"].update(port="metrics"), named_ports_exist),
    ("liveness that depends on the broker",
     lambda r: container(r)["livenessProbe"]["httpGet"].update(path="/readyz"),
     probes_ask_the_admin_thread_and_nothing_else),
    ("impatient liveness", lambda r: container(r)["livenessProbe"].update(failureThreshold=3),
     probes_ask_the_admin_thread_and_nothing_else),
    ("Kubernetes' own grace", lambda r: inner(r)["spec"].update(terminationGracePeriodSeconds=30),
     drains_fit_the_grace),
    ("a machine that goes first",
     lambda r: spec(r, "NodePool", "zkwhirl-spot")["template"]["spec"].update(
         terminationGracePeriod="10m"), drains_fit_the_grace),
    ("the whole machine", lambda r: container(r)["resources"].update(
        requests={"memory": "248Gi"}, limits={"memory": "248Gi"}), memory_fits_the_machine),
    ("a limit of cores", lambda r: container(r)["resources"]["limits"].update(cpu="30"),
     memory_fits_the_machine),
    ("a writable root", lambda r: container(r)["securityContext"].update(readOnlyRootFilesystem=False),
     pods_are_restricted),
    ("a token", lambda r: inner(r)["spec"].update(automountServiceAccountToken=True),
     pods_are_restricted),
    ("the latest image", lambda r: container(r).update(image="zkwhirl:latest"), pods_are_restricted),
    ("no priority", lambda r: r.objects.remove(r.get("PriorityClass", "zkwhirl-inner")),
     pods_are_restricted),
    ("no token where one is needed",
     lambda r: spec(r, "StatefulSet", "bridge")["template"]["spec"].update(
         automountServiceAccountToken=False), pods_are_restricted),
    ("a role that may delete pods",
     lambda r: r.get("Role", "pod-deletion-cost")["rules"][0]["verbs"].append("delete"),
     nothing_of_ours_may_do_more_than_annotate_workers),
    ("a role for workers",
     lambda r: r.get("RoleBinding", "pod-deletion-cost")["subjects"][0].update(name="worker"),
     nothing_of_ours_may_do_more_than_annotate_workers),
    ("a policy that only warns",
     lambda r: spec(r, "ValidatingAdmissionPolicyBinding", "zkwhirl-pod-deletion-cost").update(
         validationActions=["Warn"]), nothing_of_ours_may_do_more_than_annotate_workers),
    ("a policy for another account",
     lambda r: spec(r, "ValidatingAdmissionPolicy", "zkwhirl-pod-deletion-cost")["matchConditions"][0]
     .update(expression="request.userInfo.username == 'bridge'"),
     nothing_of_ours_may_do_more_than_annotate_workers),
    *[(f"a policy without its rule {n}",
       lambda r, n=n: spec(r, "ValidatingAdmissionPolicy", "zkwhirl-pod-deletion-cost")["validations"]
       .pop(n), nothing_of_ours_may_do_more_than_annotate_workers) for n in range(6)],
    ("a bridge that reaches all of the network",
     lambda r: spec(r, "NetworkPolicy", "bridge-to-falafel")["egress"][0].pop("to"),
     the_network_is_as_drawn),
    ("no volume", lambda r: inner(r)["spec"].update(volumes=[]), what_pods_refer_to_exists),
    ("a password in a ConfigMap",
     lambda r: next(c for c in r.of("ConfigMap") if c["metadata"]["name"].startswith("fleet"))["data"]
     .update(ZKWHIRL_REDIS_URL="redis://:secret@redis:6379"), secrets_are_nowhere_in_production),
    ("a Secret", lambda r: r.objects.append({"kind": "Secret", "metadata": {"name": "x"}}),
     secrets_are_nowhere_in_production),
    ("no dashboards", lambda r: r.objects.remove(r.get("ConfigMap", "zkwhirl-dashboards")),
     alerts_and_dashboards_are_there),
    ("no way to the broker", lambda r: r.objects.remove(r.get("NetworkPolicy", "to-broker")),
     the_network_is_as_drawn),
    ("a way to the broker's management",
     lambda r: spec(r, "NetworkPolicy", "to-broker-management")["podSelector"].pop("matchExpressions")
     and spec(r, "NetworkPolicy", "rabbitmq")["ingress"][0]["ports"].append({"port": 15672}),
     the_network_is_as_drawn),
    ("no denial", lambda r: r.objects.remove(r.get("NetworkPolicy", "default-deny")),
     the_network_is_as_drawn),
    ("the broker's own 30 minutes",
     lambda r: next(c for c in r.of("ConfigMap") if "rabbitmq.conf" in c["data"])["data"]
     .update({"rabbitmq.conf": "consumer_timeout = 1800000"}),
     the_brokers_patience_exceeds_every_proof),
]


def main():
    problems = 0
    renderings = {}
    for argument in sys.argv[1:]:
        name, file = argument.split("=", 1)
        with open(file, encoding="utf-8") as text:
            renderings[name] = Rendering(name, [o for o in yaml.safe_load_all(text) if o])
    for name, rendering in renderings.items():
        for policy in POLICIES:
            for wrong in policy(rendering):
                problems += 1
                print(f"{name}: {policy.__name__}: {wrong}", file=sys.stderr)
    for what, break_it, policy in MUTATIONS:
        broken = Rendering("prod", copy.deepcopy(renderings["prod"].objects))
        break_it(broken)
        if not list(policy(broken)):
            problems += 1
            print(f"{policy.__name__} does not see {what}", file=sys.stderr)
    untested = set(POLICIES) - {policy for _, _, policy in MUTATIONS}
    for policy in untested:
        problems += 1
        print(f"{policy.__name__} is never shown to fail", file=sys.stderr)
    print(f"{len(POLICIES)} policies hold in {', '.join(renderings)}; "
          f"{len(MUTATIONS)} ways to break them are seen" if not problems else f"{problems} problems")
    sys.exit(bool(problems))


main()
