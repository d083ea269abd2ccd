// Runs every query of dashboards, annotations and rules, and fails when one is
// wrong or comes back without a figure.

import { dashboards, rules } from './files.js';
import { filled, hasFigures, now } from './prometheus.js';

const [base, folder] = [process.argv[2]!, process.argv[3]!];
let asked = 0;
let wrong = 0;

async function ask(where: string, expr: string, mayBeEmpty: boolean) {
  asked += 1;
  try {
    if (hasFigures(await now(base, filled(expr, '1m'))) || mayBeEmpty) return;
    console.error(`ask: ${where}: nothing came back for ${expr}`);
  } catch (error) {
    console.error(`ask: ${where}: ${error} in ${expr}`);
  }
  wrong += 1;
}

for (const board of dashboards(`${folder}/json`)) {
  for (const panel of board.panels) {
    for (const { expr } of panel.targets ?? []) await ask(`${board.title}, ${panel.title}`, expr, false);
  }
  // Nothing to note is the usual state.
  for (const { name, expr } of board.annotations.list) if (expr) await ask(`${board.title}, ${name}`, expr, true);
}
for (const rule of rules(`${folder}/rules`)) {
  // Alerts are quiet, as a rule; recorded figures are there.
  await ask((rule.alert ?? rule.record)!, rule.expr, rule.alert !== undefined);
}
console.log(`${asked} queries, ${wrong} without an answer`);
process.exit(wrong > 0 ? 1 : 0);
