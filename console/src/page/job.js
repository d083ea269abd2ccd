// One job: its state, its steps and runs, its failed attempts.

import { read } from './api.js';
import { button } from './act.js';
import { ago, bytes, clock, copy, duration, h, now, state, table } from './dom.js';

export const load = ({ id }) => read(`/jobs/${id}`);

function life(steps) {
  return h('ol', { class: 'life' }, steps.map((step, at) => {
    const until = steps[at + 1]?.at_ms;
    return h('li', { class: step.what },
      h('span', { class: 'at' }, clock(step.at_ms)),
      h('span', { class: 'what' }, state(step.what)),
      h('span', {}, step.attempt ? `attempt ${step.attempt}` : '', step.worker ? ` on ${step.worker}` : '',
        step.text ? h('span', { class: 'muted' }, ` ${step.text}`) : null),
      h('span', { class: 'took' }, until ? duration(until - step.at_ms) : ''));
  }));
}

function runs(items) {
  const rows = items.map((run) => [
    run.attempt, run.worker, state(run.outcome), clock(run.from_ms), duration((run.to_ms ?? now()) - run.from_ms),
    run.phases.map((phase) => `${phase.name} ${duration(phase.to_ms - phase.from_ms)}`).join(' · ') || '–',
  ]);
  return table([['attempt', 'n'], ['worker'], ['outcome'], ['from', 'n'], ['took', 'n'], ['phases']], rows);
}

function failures(attempts) {
  return attempts.map((attempt) => h('article', { class: 'failure' },
    h('h3', {}, `Attempt ${attempt.attempt} on ${attempt.worker}: `, h('span', { class: 'bad' }, attempt.class)),
    h('p', {}, attempt.reason),
    h('p', { class: 'muted' }, duration(attempt.duration_ms), attempt.exit ? ` · ${attempt.exit}` : '',
      attempt.peak_rss_bytes ? ` · peak ${bytes(attempt.peak_rss_bytes)}` : ''),
    attempt.stderr_tail ? h('pre', {}, attempt.stderr_tail) : null));
}

const fact = (name, ...value) => [h('dt', {}, name), h('dd', {}, value)];

export function draw({ job, tickets, attempts, steps, runs: all }, params, { again }) {
  const running = job.state === 'claimed' || job.state === 'proving';
  return h('section', { class: 'job' },
    h('p', { class: 'crumb' }, h('a', { href: '#/jobs' }, 'Jobs'), ' / ', h('code', {}, job.id), copy(job.id)),
    h('h1', {}, job.kind, ' ', state(job.state)),
    job.reason && job.state !== 'delivered' ? h('p', { class: 'why' }, job.reason) : null,
    h('div', { class: 'buttons' },
      job.state === 'dead' ? [button('Replay', 'replay', [job.id], again), button('Reject …', 'reject', [job.id], again, { class: 'danger' })] : null,
      running ? button('Cancel …', 'cancel', [job.id], again) : null),
    h('div', { class: 'columns' },
      h('div', { class: 'card' }, h('h2', {}, 'History'), steps.length ? life(steps)
        : h('p', { class: 'muted' }, 'No history: the job is older than this process.')),
      h('div', { class: 'card' }, h('h2', {}, 'Facts'), h('dl', {},
        fact('rollup', job.rollup_id === null ? '–' : h('a', { href: `#/jobs?rollup=${job.rollup_id}` }, job.rollup_id)),
        fact('topic', job.topic || '–'), fact('attempt', job.attempt), fact('worker', job.worker ?? '–'),
        fact('taken', ago(job.taken_at_ms)), fact('changed', ago(job.changed_at_ms)),
        fact('request', bytes(job.request_bytes)),
        fact('digest', h('code', {}, `${job.id.slice(0, 16)}…`), ' (the job is named after its request)'),
        fact('tickets', tickets.length ? tickets.map((ticket) =>
          h('div', {}, h('code', { title: ticket.id }, `${ticket.id.slice(0, 8)}…`), copy(ticket.id), ` ${ticket.upstream}, `, ago(ticket.taken_at_ms)))
          : 'none')))),
    all.length ? h('div', { class: 'card' }, h('h2', {}, 'On workers'), runs(all)) : null,
    attempts.length ? h('div', { class: 'card' }, h('h2', {}, 'Failed attempts'), failures(attempts)) : null);
}
