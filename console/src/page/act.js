// Operators' actions: confirmation dialogs, the request, and the result.

import { act, operator } from './api.js';
import { h, short } from './dom.js';

export function dialog(title, ...content) {
  const box = h('dialog', { 'aria-label': title }, h('h2', {}, title), content);
  box.addEventListener('close', () => box.remove());
  document.body.append(box);
  if (!box.querySelector('form')) {
    box.append(h('form', { method: 'dialog' }, h('div', { class: 'buttons' }, h('button', {}, 'Close'))));
  }
  box.showModal();
  return box;
}

export function toast(text, bad) {
  const note = h('p', { class: bad ? 'toast bad' : 'toast' }, text);
  document.getElementById('toasts').append(note);
  setTimeout(() => note.remove(), bad ? 12000 : 6000);
}

// A dialog with a form; resolves to its values, or null if it was closed.
function ask(title, text, fields, word, danger) {
  return new Promise((done) => {
    const form = h('form', { method: 'dialog' }, text,
      fields.map(([name, label, more]) => h('label', {}, label, h('input', { name, autocomplete: 'off', ...more }))),
      h('div', { class: 'buttons' },
        h('button', { type: 'button', onclick: () => box.close() }, 'Back'),
        h('button', { type: 'submit', class: danger ? 'danger' : 'main' }, word)));
    let values = null;
    form.addEventListener('submit', () => { values = Object.fromEntries(new FormData(form)); });
    const box = dialog(title, form);
    box.addEventListener('close', () => done(values));
  });
}

export async function signIn(again) {
  if (operator.can === false) {
    dialog('Read only', h('p', {}, 'This console is read-only: the bridge was started without ',
      h('code', {}, 'ZKWHIRL_OPERATOR_TOKEN'), '. Start the bridge with a token to replay, reject, cancel, quiet and drain.'));
    return false;
  }
  if (operator.token) {
    const left = await ask('Operator', h('p', {}, `You act as ${operator.name || 'operator'}.`), [], 'Sign out');
    if (left) operator.leave();
    again?.();
    return false;
  }
  const given = await ask('Act as operator', h('p', {}, 'The token is stored in this tab only. Every action is written to the audit log.'),
    [['name', 'Your name, for the audit log', { maxlength: 64 }],
      ['token', 'Operator token', { type: 'password', required: true }]], 'Enter');
  if (given) operator.enter(given.token, given.name);
  again?.();
  return Boolean(given);
}

async function send(what, on, more, again) {
  try {
    const acted = await act(what, on, more);
    const failed = acted.filter((one) => !one.done);
    for (const one of failed.slice(0, 3)) toast(`${what} ${on.length > 1 ? `${one.on.slice(0, 8)}: ` : ''}${one.text}`, true);
    const done = acted.length - failed.length;
    if (done) toast(done > 1 ? `${what}: ${done} done` : `${what}: ${acted.find((one) => one.done).text}`);
  } catch (error) {
    if (error.status === 401) operator.leave();
    toast(error.message, true);
  }
  again();
}

const WORDS = {
  replay: ['Replay', 'is requeued as attempt 1 and keeps its history. The bridge goes on pinging its tickets.'],
  cancel: ['Cancel', 'The running attempt is cancelled and not counted; the job is requeued.'],
  drain: ['Drain', 'The slot finishes its job, then claims no more until its worker is started again.'],
};

// Performs an action, after sign-in and confirmation.
export async function perform(what, on, again) {
  if (!operator.token && !(await signIn())) return;
  if (what === 'reject') {
    const id = on[0];
    const given = await ask(`Reject job ${short(id)}?`, h('p', { class: 'warn' },
      h('strong', {}, 'Falafel halts. '), 'Falafel gets a NACK for each ticket of this job and makes no rollup until Falafel is restarted; '
      + 'for a verification key job, Falafel\'s process ends.'),
    [['reason', 'Reason, which Falafel logs', { required: true, maxlength: 500 }],
      ['confirm', `The last four digits of ${short(id)}`, { required: true, pattern: id.slice(-4), maxlength: 4, title: 'the last four digits of the id' }]],
    'Reject', true);
    if (given) await send(what, on, given, again);
    return;
  }
  const [word, text] = WORDS[what] ?? [];
  if (what === 'drain' || what === 'cancel' || on.length > 1) {
    const named = on.length > 1 ? `${on.length} jobs` : on[0].length === 64 ? short(on[0]) : on[0];
    if (!(await ask(`${word} ${named}?`, h('p', {}, what === 'replay' ? `Each ${text}` : text), [], word))) return;
  }
  await send(what, on, {}, again);
}

export const button = (word, what, on, again, more) => h('button', {
  type: 'button', id: `${what}-${on[0] ?? 'none'}`, disabled: on.length === 0, ...more, onclick: () => perform(what, on, again),
}, word);
