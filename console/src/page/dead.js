// Dead letters: grouped by their reason, replayed, rejected, downloaded.

import { download, operator, read } from './api.js';
import { button, perform, signIn, toast } from './act.js';
import { ago, duration, empty, h, jobLink, table } from './dom.js';

export const load = () => read('/dead');

const chosen = new Set();
let words = '';

// The reason without the job's id, for grouping.
const cause = (letter) => letter.reason.replace(/^job \S+ parked: /, '').replace(/[0-9a-f]{8,}/g, '…');

async function fetchRequest(id) {
  if (!operator.token && !(await signIn())) return;
  try { await download(id); } catch (error) { toast(error.message, true); }
}

function line(letter, again) {
  return [
    h('input', {
      type: 'checkbox', id: `choose-${letter.id}`, 'aria-label': `Choose ${letter.id}`, checked: chosen.has(letter.id),
      onchange: (event) => { chosen[event.target.checked ? 'add' : 'delete'](letter.id); again(); },
    }),
    jobLink(letter.id), letter.kind, letter.rollup_id ?? '–', ago(letter.died_at_ms),
    letter.attempts.length ? `${letter.attempts.length}, ${duration(letter.attempts.reduce((sum, one) => sum + one.duration_ms, 0))}` : '–',
    h('div', { class: 'buttons' },
      button('Replay', 'replay', [letter.id], again),
      h('button', { type: 'button', onclick: () => fetchRequest(letter.id), title: 'The request, for zkwhirl prove' }, 'Download'),
      button('Reject …', 'reject', [letter.id], again, { class: 'danger' })),
  ];
}

const COLUMNS = [[''], ['job'], ['kind'], ['rollup', 'n'], ['died', 'n'], ['failed attempts', 'n'], ['', 'acts']];

export function draw({ items }, params, { again }) {
  if (items.length === 0) {
    chosen.clear();
    return empty('No dead letters', 'A job that failed for good is listed here with its history. The bridge goes on pinging its tickets, so Falafel keeps waiting.');
  }
  for (const id of chosen) if (!items.some((letter) => letter.id === id)) chosen.delete(id);
  const found = items.filter((letter) => JSON.stringify(letter).toLowerCase().includes(words.toLowerCase()));
  const groups = new Map();
  for (const letter of found) groups.set(cause(letter), [...(groups.get(cause(letter)) ?? []), letter]);
  const all = found.map((letter) => letter.id);
  return h('section', {}, h('h1', {}, 'Dead letters ', h('small', {}, items.length)),
    h('div', { class: 'filters' },
      h('input', { id: 'search', type: 'search', placeholder: 'Search …   /', value: words, 'aria-label': 'Search', oninput: (event) => { words = event.target.value; again(); } }),
      h('button', {
        type: 'button', id: 'choose-all', onclick: () => {
          const every = all.every((id) => chosen.has(id));
          for (const id of all) chosen[every ? 'delete' : 'add'](id);
          again();
        },
      }, all.every((id) => chosen.has(id)) ? 'Choose none' : `Choose all ${all.length}`),
      h('button', {
        type: 'button', id: 'replay-chosen', class: 'main', disabled: chosen.size === 0, onclick: () => perform('replay', [...chosen], again),
      }, `Replay ${chosen.size} chosen`)),
    [...groups].map(([reason, letters]) => h('div', { class: 'card' },
      h('h2', { class: 'cause' }, reason, ' ', h('small', {}, letters.length)),
      table(COLUMNS, letters.map((letter) => line(letter, again))))));
}
