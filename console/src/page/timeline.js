// A rollup's timeline: time from left to right, a lane for each worker, a bar for
// each run of a job.

import { clock, duration, now, s, short } from './dom.js';

const LANE = 24;
const BAR = 18;
const TOP = 26;
const NAMES = 132;
const NICE = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400].map((seconds) => seconds * 1000);
const WORDS = { claims: 'claim', inner: 'inner', root: 'root', verifier: 'verifier' };

// The approximate width of a text, in pixels.
const wide = (text) => text.length * 6.6 + 10;

function hint(bar) {
  const end = bar.to_ms ?? now();
  const phases = bar.phases.map((phase) => `${phase.name} ${duration(phase.to_ms - phase.from_ms)}`).join(', ');
  return `${bar.kind} ${short(bar.job)}, attempt ${bar.attempt} on ${bar.worker}\n`
    + `${bar.outcome} · ${duration(end - bar.from_ms)} from ${clock(bar.from_ms)}${phases ? `\n${phases}` : ''}`;
}

function run(bar, x, y, critical) {
  const left = x(bar.from_ms);
  const width = Math.max(3, x(bar.to_ms ?? now()) - left - 1);
  const word = `${WORDS[bar.stage]} ${bar.job.slice(0, 4)}`;
  const label = width > wide(word) ? word : width > wide(WORDS[bar.stage]) ? WORDS[bar.stage] : '';
  const shape = { x: left, y, width, height: BAR, rx: 3 };
  return s('a', { href: `#/jobs/${bar.job}`, class: `run ${bar.outcome} ${critical ? 'critical' : ''}`, 'aria-label': hint(bar) },
    s('title', {}, hint(bar)),
    s('rect', { ...shape, class: 'body' }),
    // A failed run also has a notch: colour alone is not enough for every reader.
    ['failed', 'unverified', 'lost'].includes(bar.outcome)
      ? s('path', { class: 'notch', d: `M${left + width - 8} ${y}h8v8z` }) : null,
    label ? s('text', { x: left + 6, y: y + 13 }, label) : null);
}

function axis(from, to, x, height) {
  const span = to - from;
  const step = NICE.find((nice) => span / nice <= 9) ?? NICE.at(-1);
  const marks = [];
  for (let at = 0; at <= span; at += step) {
    const [left, word] = [x(from + at), at === 0 ? clock(from) : `+${duration(at)}`];
    marks.push(s('line', { class: 'grid', x1: left, x2: left, y1: TOP - 6, y2: height }));
    // A mark has no text if the text would be clipped.
    if (left + wide(word) < x(to)) marks.push(s('text', { class: 'tick', x: left + 4, y: 12 }, word));
  }
  return marks;
}

export function timeline(rollup, room) {
  const width = Math.max(300, room);
  const names = width < 700 ? 70 : NAMES;
  const going = rollup.state !== 'settled';
  const from = rollup.bars.length ? Math.min(rollup.began_ms, rollup.bars[0].from_ms) : rollup.began_ms;
  const until = going ? now() + (rollup.left_ms ?? 0) : rollup.ended_ms;
  const to = Math.max(until, from + 1000) + (until - from) * 0.02;
  const x = (at) => names + ((at - from) / (to - from)) * (width - names - 4);
  const workers = [...new Set(rollup.bars.map((bar) => bar.worker))]
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const height = TOP + Math.max(1, workers.length) * LANE + 2;
  const critical = new Set(rollup.critical);
  const lanes = workers.map((worker, lane) => s('g', {},
    s('text', { class: 'lane', x: 0, y: TOP + lane * LANE + 15 },
      worker.length * 6.8 > names ? `${worker.slice(0, Math.floor(names / 6.8) - 2)}…` : worker, s('title', {}, worker)),
    s('line', { class: 'rule', x1: names, x2: width, y1: TOP + (lane + 1) * LANE - 1, y2: TOP + (lane + 1) * LANE - 1 })));
  const bars = rollup.bars.map((bar) => run(bar, x, TOP + workers.indexOf(bar.worker) * LANE + 2, critical.has(bar.job)));
  const present = going ? [
    s('rect', { class: 'future', x: x(now()), y: TOP - 6, width: Math.max(0, width - x(now())), height: height - TOP + 6 }),
    s('line', { class: 'present', x1: x(now()), x2: x(now()), y1: TOP - 8, y2: height }),
  ] : [];
  return s('svg', {
    class: 'timeline', width, height, viewBox: `0 0 ${width} ${height}`, role: 'img',
    'aria-label': `Rollup ${rollup.id}: ${rollup.bars.length} runs on ${workers.length} workers`,
  }, present, axis(from, to, x, height), lanes, bars);
}
