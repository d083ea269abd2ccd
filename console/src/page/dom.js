// Builds elements, and formats times, sizes, ids and states the same way in all views.

const SVG = 'http://www.w3.org/2000/svg';

function build(node, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (name === 'value' || name === 'checked' || name === 'open') node[name] = value;
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.flat(9).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export const h = (tag, properties, ...children) =>
  build(document.createElement(tag), properties, children);
export const s = (tag, properties, ...children) =>
  build(document.createElementNS(SVG, tag), properties, children);

// The server's clock minus the browser's, in milliseconds.
let ahead = 0;
export const setNow = (serverMs) => { ahead = serverMs - Date.now(); };
export const now = () => Date.now() + ahead;

export function duration(ms) {
  if (ms === null || ms === undefined) return '–';
  if (ms < 950) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} min ${String(seconds % 60).padStart(2, '0')} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${String(minutes % 60).padStart(2, '0')} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export const clock = (ms) => new Date(ms).toLocaleTimeString([], { hour12: false });
const exact = (ms) => new Date(ms).toISOString().replace('T', ' ').replace('Z', ' UTC');

// A relative time; the tooltip has the exact one.
export const ago = (ms) =>
  h('time', { datetime: new Date(ms).toISOString(), title: exact(ms) }, `${duration(Math.max(0, now() - ms))} ago`);

export function bytes(n) {
  if (!n) return '–';
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let at = 0;
  while (n >= (at === 0 ? 9999 : 1000) && at < units.length - 1) { n /= 1000; at += 1; }
  return `${at === 0 ? n.toLocaleString('en') : n.toFixed(1)} ${units[at]}`;
}

export const number = (n) => n.toLocaleString('en');
export const short = (id) => `${id.slice(0, 4)}…${id.slice(-4)}`;

// A job's short id: a link to the job, and a button that copies the whole id.
export const jobLink = (id) => h('span', { class: 'id' },
  h('a', { href: `#/jobs/${id}`, title: id }, short(id)), copy(id));

export function copy(text) {
  const button = h('button', { type: 'button', class: 'copy', title: `Copy ${text}`, 'aria-label': `Copy ${text}` },
    s('svg', { viewBox: '0 0 12 12', width: 12, height: 12 },
      s('rect', { x: 1, y: 3.5, width: 7, height: 7.5, rx: 1.5 }), s('path', { d: 'M4 1.5h5.5a1.5 1.5 0 0 1 1.5 1.5v5.5' })));
  button.addEventListener('click', async (event) => {
    event.stopPropagation();
    await navigator.clipboard?.writeText(text);
    button.replaceChildren('✓');
  });
  return button;
}

// Each state has one colour, one shape and one word in all views.
const SHAPES = {
  taken: '○', queued: '○', claimed: '◔', proving: '◑', running: '◑', retrying: '↻', proved: '●', delivered: '✓',
  settled: '✓', dead: '✕', halted: '✕', failed: '✕', unverified: '✕', rejected: '⊘', withdrawn: '–',
  'handed-back': '↩', lost: '✕', 'called-off': '–', idle: '○', starting: '◌', waiting: '◌', quiet: '‖', draining: '⇥',
};
export const state = (name) => h('span', { class: `state ${name}` },
  h('span', { class: 'shape', 'aria-hidden': 'true' }, SHAPES[name] ?? '•'), name);

export const empty = (title, ...more) => h('div', { class: 'empty' }, h('h2', {}, title), h('p', {}, more));

export function table(columns, rows) {
  return h('div', { class: 'scroll' }, h('table', {},
    h('thead', {}, h('tr', {}, columns.map(([name, kind]) => h('th', { class: kind, scope: 'col' }, name)))),
    h('tbody', {}, rows.map((cells) => {
      const { open, ...rest } = cells.row ?? {};
      return h('tr', { ...rest, onclick: open && ((event) => {
        if (!event.target.closest('a, button, input') && getSelection().isCollapsed) location.hash = open;
      }) },
      (cells.cells ?? cells).map((cell, at) => h('td', { class: columns[at][1] }, cell)));
    }))));
}

export const bar = (fraction, label) => h('span', { class: 'bar', role: 'img', 'aria-label': label },
  s('svg', { viewBox: '0 0 100 6', preserveAspectRatio: 'none' },
    s('rect', { class: 'track', width: 100, height: 6, rx: 1 }),
    s('rect', { class: 'fill', width: Math.round(100 * Math.min(1, fraction)), height: 6, rx: 1 })));
