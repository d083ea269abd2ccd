// The runbook: docs/RUNBOOK.md, a section for each alarm.

import { h } from './dom.js';

let runbook = null;

export async function load() {
  if (runbook === null) {
    const response = await fetch('/console/runbook.md');
    if (!response.ok) throw new Error('this bridge has no runbook');
    runbook = await response.text();
  }
  return runbook;
}

// `code`, **strong**, *emphasis*, and the text of links: the page opens no other site.
const INLINE = /(`[^`]+`|\*\*[^*]+\*\*|\*[^*]+\*|\[[^\]]+\]\([^)]+\))/;

function inline(line) {
  return line.split(INLINE).map((part, at) => {
    if (at % 2 === 0) return part;
    if (part.startsWith('`')) return h('code', {}, part.slice(1, -1));
    if (part.startsWith('**')) return h('strong', {}, part.slice(2, -2));
    if (part.startsWith('*')) return h('em', {}, part.slice(1, -1));
    return part.slice(1, part.indexOf(']'));
  });
}

function block(lines) {
  const step = /^\d+\. /;
  return step.test(lines) ? h('ol', {}, lines.split('\n').map((line) => h('li', {}, inline(line.replace(step, '')))))
    : h('p', {}, inline(lines));
}

const blocks = (body) => body.trim().split(/\n\n+/).map(block);

function section(text, asked) {
  const end = text.indexOf('\n');
  const name = text.slice(0, end).trim();
  const open = name === asked;
  const shown = h('details', { class: 'card', id: `runbook-${name}`, open },
    h('summary', {}, h('h2', {}, name)), blocks(text.slice(end)));
  return { open, shown };
}

// The requested section comes first.
export function draw(all, { id }) {
  const [about, ...rest] = all.split(/^## /m);
  const sections = rest.map((text) => section(text, id));
  const asked = sections.filter(({ open }) => open);
  const others = sections.filter(({ open }) => !open);
  return h('section', { class: 'runbook' }, h('h1', {}, 'Runbook'),
    asked.map(({ shown }) => shown), blocks(about.replace(/^# .*\n/, '')), others.map(({ shown }) => shown));
}
