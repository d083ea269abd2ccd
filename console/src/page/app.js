// Shows the chosen view, reads it again after changes, handles the keyboard.

import { operator, read, watch } from './api.js';
import { dialog, signIn } from './act.js';
import { h } from './dom.js';
import * as rollups from './rollups.js';
import * as jobs from './jobs.js';
import * as job from './job.js';
import * as workers from './workers.js';
import * as dead from './dead.js';
import * as runbook from './runbook.js';
import { audit, keys, queues } from './stock.js';

// Key, hash, name, view.
const VIEWS = [
  ['r', 'rollups', 'Rollups', rollups], ['j', 'jobs', 'Jobs', jobs], ['w', 'workers', 'Workers', workers],
  ['d', 'dead', 'Dead letters', dead], ['q', 'queues', 'Queues', queues], ['k', 'keys', 'Keys', keys],
  ['a', 'audit', 'Audit', audit], ['b', 'runbook', 'Runbook', runbook],
];
// The shortest time between two reads of a view, and the longest between two
// drawings, in milliseconds.
const READ = 400;
const DRAW = 1000;

const main = document.getElementById('main');
const nav = document.getElementById('nav');
let shown = null;
let reading = false;
let stale = false;

function place() {
  const [path, query] = location.hash.replace(/^#\/?/, '').split('?');
  const [name, id] = path.split('/');
  const params = Object.fromEntries(new URLSearchParams(query ?? ''));
  const found = VIEWS.find(([, hash]) => hash === name) ?? VIEWS[0];
  if (id && found[1] === 'jobs') return { name: 'jobs', view: job, params: { id } };
  return { name: found[1], view: found[3], params: { ...params, id } };
}

function drawNav(status) {
  const at = place().name;
  const counts = { dead: status?.dead, workers: status?.slots };
  nav.replaceChildren(...VIEWS.map(([key, hash, name]) => h('a', {
    href: `#/${hash}`, title: `${name} (${key})`, 'aria-current': hash === at ? 'page' : undefined,
  }, name, counts[hash] ? h('span', { class: `count ${hash}` }, counts[hash]) : null)));
}

function drawStatus(status) {
  drawNav(status);
  operator.can = status.can_act;
  const button = document.getElementById('operator');
  button.textContent = operator.token ? `Operator ${operator.name}`.trim() : 'Read only';
  button.classList.toggle('on', Boolean(operator.token));
  document.getElementById('banners').replaceChildren(...status.banners.map((banner) =>
    h('p', { class: `banner ${banner.level}` }, h('strong', {}, banner.text), ' ', banner.way_out, ' ',
      h('a', { href: `#/runbook/${banner.runbook}` }, 'Runbook'))));
}

// Replaces the view and keeps focus, selection and opened details.
function swap(node) {
  const focus = document.activeElement;
  const { id, selectionStart, selectionEnd } = focus ?? {};
  const open = [...main.querySelectorAll('details[open][id]')].map((details) => details.id);
  main.replaceChildren(node);
  for (const each of open) document.getElementById(each)?.setAttribute('open', '');
  const again = id && main.contains(document.getElementById(id)) && document.getElementById(id);
  if (again) {
    again.focus({ preventScroll: true });
    if (selectionStart !== undefined && selectionStart !== null) again.setSelectionRange(selectionStart, selectionEnd);
  }
}

function draw() {
  if (!shown?.data || !getSelection().isCollapsed || main.matches(':active')) return;
  swap(shown.view.draw(shown.data, shown.params, { again: refresh, width: main.clientWidth }));
}

async function refresh() {
  if (reading) { stale = true; return; }
  reading = true;
  stale = false;
  const asked = shown;
  try {
    const [data, status] = await Promise.all([asked.view.load(asked.params), read('/status')]);
    drawStatus(status);
    asked.data = data;
    if (asked === shown) draw();
  } catch (error) {
    if (asked === shown) swap(h('div', { class: 'empty' }, h('h2', {}, 'Nothing to show'), h('p', {}, error.message)));
  }
  setTimeout(() => { reading = false; if (stale) refresh(); }, READ);
}

function go() {
  const to = place();
  shown = { ...to, data: null };
  document.title = `${VIEWS.find(([, hash]) => hash === to.name)[2]} · zkWhirl`;
  drawNav();
  // A read in progress belongs to another view.
  reading = false;
  refresh();
}

const help = () => dialog('Keys', h('dl', { class: 'keys' },
  VIEWS.map(([key, , name]) => [h('dt', {}, h('kbd', {}, key)), h('dd', {}, name)]),
  h('dt', {}, h('kbd', {}, '/')), h('dd', {}, 'Search'),
  h('dt', {}, h('kbd', {}, 't')), h('dd', {}, 'Light or dark'),
  h('dt', {}, h('kbd', {}, 'Esc')), h('dd', {}, 'Close, or leave a field')));

function theme() {
  const dark = getComputedStyle(document.documentElement).colorScheme === 'dark'
    || (!document.documentElement.dataset.theme && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'light' : 'dark';
  localStorage.setItem('theme', document.documentElement.dataset.theme);
}

addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
  if (event.target.matches('input, textarea, select')) {
    if (event.key === 'Escape') event.target.blur();
    return;
  }
  const view = VIEWS.find(([key]) => key === event.key);
  if (view) location.hash = `#/${view[1]}`;
  else if (event.key === '?') help();
  else if (event.key === 't') theme();
  else if (event.key === '/') {
    event.preventDefault();
    document.getElementById('search')?.focus();
  }
});

document.documentElement.dataset.theme = localStorage.getItem('theme') ?? '';
document.getElementById('theme').addEventListener('click', theme);
document.getElementById('help').addEventListener('click', help);
document.getElementById('operator').addEventListener('click', () => signIn(refresh));
addEventListener('hashchange', go);
addEventListener('resize', draw);
go();
watch(() => refresh(), (alive) => {
  const live = document.getElementById('live');
  live.textContent = alive ? 'live' : 'unreachable';
  live.classList.toggle('on', alive);
});
setInterval(draw, DRAW);
// Some views change without a notification.
setInterval(refresh, 10 * DRAW);
