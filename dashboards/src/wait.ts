// Waits until a Prometheus has watched a fleet for some seconds.

import { hasFigures, now } from './prometheus.js';

const [base, wanted] = [process.argv[2]!, Number(process.argv[3])];
const start = Date.now();
const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));
for (;;) {
  const watched = (Date.now() - start) / 1000;
  if (watched > 120 + wanted) throw new Error('no rollup was settled');
  await pause(500);
  if (watched < wanted) continue;
  const settled = await now(base, 'sum(zkwhirl_rollup_duration_seconds_count) > 1').catch(() => []);
  if (hasFigures(settled)) break;
}
