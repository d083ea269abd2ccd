// What must hold for every dashboard, rule and alert without running anything.

import { readFileSync } from 'node:fs';
import { dashboards, rules, tests } from './files.js';

const root = process.argv[2] ?? '.';
const problems: string[] = [];
const must = (holds: unknown, what: string) => { if (!holds) problems.push(what); };

const documented = new Set(
  [...readFileSync(`${root}/docs/METRICS.md`, 'utf8').matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name!));
const ours = rules(`${root}/dashboards/rules`);
const recorded = new Set(ours.map((rule) => rule.record));

/** Every metric of an expression is one that somebody writes. */
function metrics(where: string, expr: string) {
  for (const [name] of expr.matchAll(/\bzkwhirl[_:][a-z_:0-9]+/g)) {
    const base = name.replace(/_(bucket|sum|count)$/, '');
    must(documented.has(name) || documented.has(base) || recorded.has(name),
      `${where}: nobody writes ${name}`);
  }
}

const uids = new Set<string>();
for (const board of dashboards(`${root}/dashboards/json`)) {
  const name = board.title;
  must(/^zkwhirl-[a-z]+$/.test(board.uid) && !uids.has(board.uid), `${name}: uid ${board.uid}`);
  uids.add(board.uid);
  must(board.graphTooltip === 1, `${name}: no shared crosshair`);
  must(board.templating.list[0].type === 'datasource', `${name}: no variable for the data source`);
  for (const { expr } of board.annotations.list) if (expr) metrics(`${name}, annotations`, expr);
  const shown = board.panels.filter((panel: any) => panel.type !== 'row');
  must(shown.length <= 24, `${name}: ${shown.length} panels`);
  const ids = new Set(board.panels.map((panel: any) => panel.id));
  must(ids.size === board.panels.length && !ids.has(0), `${name}: ids of panels`);
  const taken = new Map<string, string>();
  for (const panel of board.panels) {
    const { x, y, w, h } = panel.gridPos;
    must(x + w <= 24, `${name}, ${panel.title}: wider than the page`);
    for (let cx = x; cx < x + w; cx++) for (let cy = y; cy < y + h; cy++) {
      const there = taken.get(`${cx},${cy}`);
      must(!there, `${name}: ${panel.title} lies over ${there}`);
      taken.set(`${cx},${cy}`, panel.title);
    }
  }
  for (const panel of shown) {
    const where = `${name}, ${panel.title}`;
    must(panel.description?.endsWith('.'), `${where}: no description`);
    must(panel.fieldConfig.defaults.unit, `${where}: no unit`);
    must(panel.options, `${where}: no options`);
    must(panel.datasource.uid === '${datasource}', `${where}: a data source of its own`);
    must(panel.targets.length > 0, `${where}: asks nothing`);
    for (const target of panel.targets) {
      must(target.datasource.uid === '${datasource}', `${where}: a data source of its own`);
      must(!/rate\([^[]*\[\d/.test(target.expr), `${where}: a fixed interval`);
      must(target.legendFormat, `${where}: lines without names`);
      metrics(where, target.expr);
    }
  }
}

const runbook = readFileSync(`${root}/docs/RUNBOOK.md`, 'utf8');
const sections = new Set([...runbook.matchAll(/^## (\w+)$/gm)].map(([, name]) => name!));
const tested = tests(`${root}/dashboards/rules/tests`);
for (const rule of ours) {
  const name = rule.alert ?? rule.record!;
  metrics(name, rule.expr);
  if (!rule.alert) continue;
  must(['page', 'ticket'].includes(rule.labels?.['severity'] ?? ''), `${name}: severity`);
  must(rule.annotations?.['summary'], `${name}: no summary`);
  must(sections.delete(name), `${name}: no section in docs/RUNBOOK.md`);
  must(rule.annotations?.['runbook_url']?.endsWith(`/docs/RUNBOOK.md#${name.toLowerCase()}`), `${name}: no link to its section`);
  const asked = tested.filter((test) => test.name === name).flatMap((test) => test.promql_expr_test)
    .filter((test: any) => test.expr.includes(`"${name}"`));
  must(asked.some((test: any) => test.exp_samples.length === 0), `${name}: no test that it is quiet`);
  must(asked.some((test: any) => test.exp_samples.length > 0), `${name}: no test that it fires`);
}
for (const section of sections) must(false, `docs/RUNBOOK.md: ${section} is no alert`);

for (const problem of problems) console.error(`lint: ${problem}`);
process.exit(problems.length > 0 ? 1 : 0);
