// Rollups: the newest are drawn, the others are one line each.

import { read } from './api.js';
import { clock, duration, empty, h, jobLink, now, state } from './dom.js';
import { timeline } from './timeline.js';

export const load = () => read('/rollups');

// The number of rollups that are drawn, at most.
const PICTURES = 2;

function counts(rollup) {
  return rollup.stages.filter((stage) => stage.total > 0).map((stage) => h('span', { class: 'stage' },
    h('span', { class: 'muted' }, stage.name), ' ',
    h('b', {}, `${stage.done}/${stage.total}`),
    stage.running ? h('span', { class: 'now' }, ` · ${stage.running} proving`) : null,
    stage.dead ? h('span', { class: 'bad' }, ` · ${stage.dead} dead`) : null));
}

function eta(rollup) {
  if (rollup.state === 'settled') {
    return `settled ${clock(rollup.ended_ms)} · ${duration(rollup.ended_ms - rollup.began_ms)}`;
  }
  if (rollup.state === 'halted') return 'waits for an operator: see Dead letters';
  if (rollup.left_ms === null) return 'ETA unknown until the first proof of each kind';
  const more = rollup.left_with_twice_ms !== null && rollup.left_with_twice_ms < rollup.left_ms && rollup.slots > 0
    ? ` · ${duration(rollup.left_with_twice_ms)} with ${rollup.slots * 2} slots` : '';
  const off = rollup.give_or_take_ms >= 1000 ? ` ± ${duration(rollup.give_or_take_ms)}` : '';
  return `ETA ${clock(now() + rollup.left_ms)}, in ${duration(rollup.left_ms)}${off}${more}`;
}

function waste(rollup) {
  if (!rollup.retries) return null;
  return h('span', { class: 'warned' }, `${rollup.retries} ${rollup.retries === 1 ? 'retry' : 'retries'} · ${duration(rollup.wasted_ms)} wasted`);
}

function path(rollup) {
  if (rollup.critical.length === 0) return null;
  const said = rollup.critical.length > 6
    ? [rollup.critical.slice(0, 2), null, rollup.critical.slice(-3)].flat() : rollup.critical;
  return h('p', { class: 'path' }, h('span', { class: 'muted' }, 'critical path '),
    said.map((id, at) => [at ? ' → ' : null, id ? jobLink(id) : '…']));
}

function picture(rollup, width, open) {
  return h('details', { class: 'card rollup', id: `rollup-${rollup.id}`, open },
    h('summary', {}, h('h2', {}, `Rollup ${rollup.id}`), state(rollup.state), h('span', { class: 'stages' }, counts(rollup)),
      waste(rollup), h('span', { class: 'eta' }, eta(rollup))),
    timeline(rollup, width), path(rollup));
}

export function draw({ items }, params, { width }) {
  if (items.length === 0) {
    return empty('No rollup yet', 'A rollup appears here when Falafel requests its first inner rollup. To try: ',
      h('code', {}, 'zkwhirl demo'), ', or ', h('code', {}, 'zkwhirl falafel'), ' beside this bridge.');
  }
  return h('section', {}, h('h1', {}, 'Rollups'),
    items.map((rollup, at) => picture(rollup, width - 34, at < PICTURES || String(rollup.id) === params.id)));
}
