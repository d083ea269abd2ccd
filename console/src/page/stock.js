// Queues, keys, and operators' actions.

import { read } from './api.js';
import { ago, bytes, duration, empty, h, jobLink, number, table } from './dom.js';

const RUNGS = ['10 s', '1 min', '10 min'];

export const queues = {
  load: () => read('/queues'),
  draw({ items }) {
    const card = (queue) => h('article', { class: 'card queue' }, h('h2', {}, queue.topic),
      queue.error ? h('p', { class: 'bad' }, queue.error) : [
        h('div', { class: 'figures' },
          figure('ready', queue.ready), figure('in flight', queue.in_flight), figure('consumers', queue.consumers),
          figure('oldest', queue.oldest_ms === null ? '–' : duration(queue.oldest_ms)),
          figure('taken / min', queue.taken_per_min), figure('proved / min', queue.proved_per_min)),
        h('p', { class: 'muted' }, 'waiting for another attempt: ',
          queue.rungs.map((count, at) => `${count} in the ${RUNGS[at]} queue`).join(' · ')),
      ]);
    return h('section', {}, h('h1', {}, 'Queues'), h('div', { class: 'tiles wide' }, items.map(card)));
  },
};

const figure = (name, value) => h('div', { class: 'figure' }, h('b', {}, value), h('span', {}, name));

export const keys = {
  load: () => read('/keys'),
  draw({ items }) {
    if (items.length === 0) {
      return empty('No keys here', 'A proverless bridge needs no keys. Workers and bridges with the native engine store keys in ',
        h('code', {}, 'DATA_DIR/keys'), ': ', h('code', {}, 'zkwhirl keys generate'));
    }
    const row = (key) => [
      key.circuit, h('code', { title: key.id }, key.id.slice(0, 8)), number(key.rows), bytes(key.bytes), h('code', { title: key.vk }, key.vk.slice(0, 8)),
      key.error ? h('span', { class: 'bad' }, key.error) : h('span', { class: key.insecure ? 'warned' : '' }, key.insecure ? '⚠ ' : '', key.provenance),
    ];
    return h('section', {}, h('h1', {}, 'Keys ', h('small', {}, 'on this machine')),
      h('div', { class: 'card' }, table([['circuit'], ['key'], ['rows', 'n'], ['size', 'n'], ['vk'], ['provenance']], items.map(row))));
  },
};

export const audit = {
  load: () => read('/audit'),
  draw({ items }) {
    if (items.length === 0) {
      return empty('No action yet', 'Operators\' actions are listed here and, under the target ',
        h('code', {}, 'audit'), ', in the log.');
    }
    const row = (deed) => [
      ago(deed.at_ms), deed.who, deed.what, /^[0-9a-f]{64}$/.test(deed.on) ? jobLink(deed.on) : deed.on,
      deed.done ? '✓' : '○', deed.text,
    ];
    return h('section', {}, h('h1', {}, 'Audit ', h('small', {}, 'the last 256 since this bridge started')),
      h('div', { class: 'card' }, table([['when', 'n'], ['who'], ['what'], ['on'], ['done'], ['how']], items.map(row))));
  },
};
