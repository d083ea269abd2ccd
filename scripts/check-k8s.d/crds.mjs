// Strict schemas of the custom resources of rendered manifests.
//   node crds.mjs FILE…
// Prints `kind name: ok` for each; exit code 1 when one is wrong, or of a kind
// that nobody checks.
import { readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";
import { NodePool } from "@kubernetes-models/karpenter/karpenter.sh/v1/NodePool";
import { ScaledObject } from "@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject";
import { TriggerAuthentication } from "@kubernetes-models/keda/keda.sh/v1alpha1/TriggerAuthentication";
import { PodMonitor } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor";
import { PrometheusRule } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule";

const models = { NodePool, ScaledObject, TriggerAuthentication, PodMonitor, PrometheusRule };
// Checked by policies.py: no published schema.
const elsewhere = ["RabbitmqCluster"];
let wrong = 0;
let right = 0;
for (const file of process.argv.slice(2)) {
  for (const document of parseAllDocuments(readFileSync(file, "utf8"))) {
    const object = document.toJS();
    const group = object.apiVersion.split("/")[0];
    if (!group.includes(".") || group.endsWith(".k8s.io") || elsewhere.includes(object.kind)) {
      continue;
    }
    try {
      const Model = models[object.kind];
      if (!Model) throw new Error("nobody checks this kind");
      new Model(object).validate();
      right += 1;
    } catch (error) {
      wrong += 1;
      console.error(`${file}: ${object.kind} ${object.metadata.name}: ${error.message}`);
    }
  }
}
console.log(`${right} custom resources are valid`);
process.exit(wrong ? 1 : 0);
