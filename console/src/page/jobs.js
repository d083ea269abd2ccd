// Jobs: counts as tabs, a search, a table.

import { read } from './api.js';
import { ago, bytes, duration, empty, h, jobLink, now, state, table } from './dom.js';

// States in the order of a job's life.
const STATES = ['taken', 'queued', 'claimed', 'proving', 'retrying', 'proved', 'delivered', 'dead', 'rejected', 'withdrawn'];
const KINDS = ['claim', 'tx-rollup', 'root-rollup', 'root-verifier', 'join-split-vk', 'account-vk'];

const query = (params) => {
  const set = Object.entries(params).filter(([, value]) => value);
  return new URLSearchParams(Object.fromEntries(set)).toString();
};

export const load = ({ state: of, kind, rollup, search, limit }) =>
  read(`/jobs?${query({ state: of, kind, rollup, search, limit })}`);

function go(params, change) {
  const { id, ...kept } = { ...params, ...change };
  const text = query(kept);
  location.hash = text ? `#/jobs?${text}` : '#/jobs';
}

function tabs(counts, params) {
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const tab = (name, count) => h('button', {
    type: 'button', id: `tab-${name}`, class: 'tab', 'aria-pressed': String((params.state ?? '') === (name === 'all' ? '' : name)),
    onclick: () => go(params, { state: name === 'all' ? '' : name }),
  }, name === 'all' ? 'all' : state(name), ' ', h('b', {}, count));
  return h('div', { class: 'tabs' }, tab('all', all),
    STATES.filter((name) => counts[name] > 0 || params.state === name).map((name) => tab(name, counts[name])));
}

let typed;
function filters(params) {
  return h('div', { class: 'filters' },
    h('input', {
      id: 'search', type: 'search', placeholder: 'Search id, worker, reason …   /', value: params.search ?? '', 'aria-label': 'Search',
      oninput: (event) => {
        clearTimeout(typed);
        typed = setTimeout(() => go(params, { search: event.target.value }), 250);
      },
    }),
    h('select', { id: 'kind', 'aria-label': 'Kind', onchange: (event) => go(params, { kind: event.target.value }) },
      h('option', { value: '' }, 'every kind'),
      KINDS.map((kind) => h('option', { value: kind, selected: params.kind === kind }, kind))),
    params.rollup ? h('button', { type: 'button', onclick: () => go(params, { rollup: '' }) }, `rollup ${params.rollup} ✕`) : null);
}

const finished = ['delivered', 'rejected', 'withdrawn'];

function row(job) {
  const end = finished.includes(job.state) ? job.changed_at_ms : now();
  return {
    row: { class: 'open', open: `#/jobs/${job.id}` },
    cells: [
      jobLink(job.id), job.kind, job.rollup_id ?? '–', state(job.state), job.attempt, job.worker ?? '–',
      ago(job.taken_at_ms), duration(end - job.taken_at_ms), bytes(job.request_bytes),
      h('span', { class: 'reason', title: job.reason ?? '' }, job.state === 'delivered' ? '' : job.reason ?? ''),
    ],
  };
}

export function draw({ counts, matched, items }, params) {
  const some = Object.values(counts).some((count) => count > 0);
  const columns = [['job'], ['kind'], ['rollup', 'n'], ['state'], ['attempt', 'n'], ['worker'], ['taken', 'n'], ['so far', 'n'], ['request', 'n'], ['why']];
  return h('section', {}, h('h1', {}, 'Jobs'), tabs(counts, params), filters(params),
    items.length ? table(columns, items.map(row))
      : some ? empty('No job matches', 'Choose another state, or search for fewer words.')
        : empty('No job yet', 'Jobs appear when Falafel issues tickets, for which this bridge polls.'),
    matched > items.length ? h('p', { class: 'muted' }, `${items.length} of ${matched}. `,
      h('button', { type: 'button', onclick: () => go(params, { limit: 1000 }) }, 'Show 1,000')) : null);
}
