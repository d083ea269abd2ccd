// Workers: a tile for each slot.

import { read } from './api.js';
import { button } from './act.js';
import { bar, bytes, duration, empty, h, jobLink, now, number, state } from './dom.js';

export const load = () => read('/workers');

function work(slot) {
  if (!slot.job) return h('p', { class: 'muted' }, `for ${duration(now() - slot.since_ms)}`);
  const percent = Math.round(slot.fraction * 100);
  return [
    h('p', {}, slot.kind, ' ', jobLink(slot.job), slot.attempt > 1 ? h('span', { class: 'warned' }, ` attempt ${slot.attempt}`) : null),
    h('p', { class: 'progress' }, bar(slot.fraction, `${slot.phase} ${percent} %`),
      h('span', {}, slot.phase || 'fetch', ` ${percent} %`), h('span', { class: 'took' }, duration(now() - slot.since_ms))),
  ];
}

function tile(slot, again) {
  const leaving = slot.draining || slot.quiet;
  return h('article', { class: `card tile ${leaving ? 'leaving' : ''}` },
    h('header', {}, h('h2', {}, slot.slot), state(slot.state)),
    work(slot),
    h('dl', {},
      h('dt', {}, 'takes'), h('dd', {}, slot.topics.join(', ')),
      h('dt', {}, 'proved'), h('dd', {}, number(slot.done)),
      slot.failures ? [h('dt', {}, 'failures in a row'), h('dd', { class: 'bad' }, slot.failures)] : null,
      h('dt', {}, 'memory'), h('dd', {}, bytes(slot.resident_bytes), slot.memory_limit_bytes ? ` of ${bytes(slot.memory_limit_bytes)}` : ''),
      slot.keys.length ? [h('dt', {}, 'keys'), h('dd', { title: slot.keys.join('\n') }, `${slot.keys.length} loaded`)] : null,
      h('dt', {}, 'prover'), h('dd', { title: `release ${slot.version}` }, `${slot.prover} · ${slot.version}`)),
    slot.draining ? h('p', { class: 'muted' }, 'draining: finishes its job, then stops')
      : h('div', { class: 'buttons' },
        slot.quiet ? button('Resume', 'loud', [slot.slot], again) : button('Quiet', 'quiet', [slot.slot], again, { title: 'Pause: claim no new jobs' }),
        button('Drain …', 'drain', [slot.slot], again, { title: 'Finish the job, then stop' })));
}

export function draw({ items }, params, { again }) {
  if (items.length === 0) {
    return empty('No worker', 'Slots report every two seconds. Start one: ',
      h('code', {}, 'zkwhirl worker --topic inner,outer'));
  }
  const busy = items.filter((slot) => slot.job).length;
  return h('section', {}, h('h1', {}, 'Workers ', h('small', {}, `${items.length} slots · ${busy} proving`)),
    h('div', { class: 'tiles' }, items.map((slot) => tile(slot, again))));
}
