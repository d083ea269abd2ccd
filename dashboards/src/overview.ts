// What whoever is on call opens: is a rollup late, why, what to do.

import { Board } from './board.js';
import { heat, lines, stat, STATE } from './panels.js';
import { buckets, fleet, quantile, rate, series, sum } from './queries.js';

const ROLLUP = 'zkwhirl_rollup_duration_seconds';
const over = (name: string, ...labels: string[]) =>
  `sum(increase(${series(name, ...labels)}[$__range]))`;

export const overview: Board = {
  uid: 'zkwhirl-overview',
  title: 'zkWhirl / Overview',
  description: 'Whether a rollup is late, why, and what to do.',
  rows: [
    ['Is a rollup late?', [
      stat({
        title: 'Rollup time, p95', unit: 's', warn: [600, 900],
        description: 'Of the rollups of this time range, from their first inner job to the delivery of the root verifier. Good: below 900 s.',
        queries: [[`histogram_quantile(0.95, sum by (le) (increase(${series(`${ROLLUP}_bucket`)}[$__range])))`, 'p95']],
      }),
      stat({
        title: 'Rollups within 15 min', unit: 'percentunit', warn: [0.97, 0.95, 'below'],
        description: 'The objective is 95 %.',
        queries: [[`${over(`${ROLLUP}_bucket`, 'le="900"')} / (${over(`${ROLLUP}_count`)} > 0)`, 'within']],
      }),
      stat({
        title: 'This rollup still takes', unit: 's',
        description: 'From what jobs took lately and how many slots there are; 0 when no rollup is under way.',
        queries: [['max(' + series('zkwhirl_rollup_eta_seconds') + ')', 'ETA']],
      }),
      stat({
        title: 'Oldest inner job', unit: 's', warn: [600, 1800],
        description: 'The best single sign of something stuck. Above 1,800 s ZkWhirlRollupStuck fires.',
        queries: [[fleet('zkwhirl_oldest_job_age_seconds', 'topic', 'topic="inner"'), 'age']],
      }),
      stat({
        title: 'Lease margin', unit: 's', decimals: 2, warn: [3, 1.5, 'below'],
        description: 'What was left of the 5 s that Falafel allows between two pings, for the worst ticket of the last minute. About 4 s is good.',
        queries: [[`min(${series('zkwhirl_lease_margin_seconds')})`, 'margin']],
      }),
      stat({
        title: 'Dead letters', unit: 'short', warn: [1, 1],
        description: 'Jobs that wait for an operator: replay or reject them. Their rollup waits too.',
        queries: [['sum(' + fleet('zkwhirl_jobs', 'topic', 'state="dead"') + ')', 'dead']],
      }),
    ]],
    ['Now', [
      lines({
        title: 'Outstanding jobs', unit: 'short', width: 8, style: 'area',
        colours: STATE,
        description: 'Every job that is not finished, in a prover or not. The fleet is scaled by the inner ones.',
        queries: [[fleet('zkwhirl_jobs_outstanding', 'topic'), '{{topic}}']],
      }),
      lines({
        title: 'Inner slots by what they do', unit: 'short', width: 8, style: 'area', colours: STATE,
        description: 'Jobs outstanding and idle slots at the same time: look at the queue. All away: look at RabbitMQ.',
        queries: [[sum('zkwhirl_worker_slots', 'state', 'topic="inner"'), '{{state}}']],
      }),
      lines({
        title: 'Rollups under way', unit: 'short', width: 8, style: 'area',
        colours: STATE,
        description: 'By the stage that they are in.',
        queries: [[fleet('zkwhirl_rollups_in_flight', 'stage'), '{{stage}}']],
      }),
    ]],
    ['Flow', [
      lines({
        title: 'Jobs per minute', unit: 'short', width: 8,
        description: 'Submitted and proved should be the same in the long run. What is dead waits for an operator.',
        queries: [
          [`60 * sum(${rate('zkwhirl_jobs_submitted_total', 'topic')})`, 'submitted'],
          [`60 * ${rate('zkwhirl_jobs_completed_total', 'outcome', 'outcome=~"ok|dead"')}`, '{{outcome}}'],
        ],
        colours: STATE,
      }),
      lines({
        title: 'Wait in the queue', unit: 's', width: 8,
        description: 'From the taking of a job to its first claim. Objective: 95 % of the inner jobs within 120 s.',
        queries: [
          [quantile(0.5, 'zkwhirl_job_queue_wait_seconds', 'topic'), '{{topic}} p50'],
          [quantile(0.95, 'zkwhirl_job_queue_wait_seconds', 'topic'), '{{topic}} p95'],
        ],
      }),
      heat({
        title: 'Inner jobs: time from taken to proved', unit: 's', width: 8,
        description: 'How many jobs took how long. A second band above the first is retries or cold workers.',
        queries: [[buckets('zkwhirl_job_turnaround_seconds', 'topic="inner"'), '{{le}}']],
      }),
    ]],
    ['Trouble', [
      lines({
        title: 'Retries per minute', unit: 'short', width: 8, style: 'bars',
        description: 'Jobs sent to the queue again. prover: crashes and deadlines; infrastructure: stores; invalid: a second opinion; handed back: drains; lost: the broker.',
        queries: [[`60 * ${rate('zkwhirl_jobs_retried_total', 'reason')}`, '{{reason}}']],
      }),
      lines({
        title: 'Provers\' time that led to nothing', unit: 's', width: 8, style: 'bars',
        description: 'Seconds per minute, by reason. Drains of long proofs and duplicates cost money; failures cost time too.',
        queries: [[`60 * ${rate('zkwhirl_wasted_work_seconds_sum', 'reason')}`, '{{reason}}']],
      }),
      lines({
        title: 'Longest time without a ping', unit: 's', width: 8, max: 5, warn: [3.5, 5],
        description: 'Of any ticket, each bridge. At 5 s Falafel issues the ticket again.',
        queries: [[`5 - ${series('zkwhirl_lease_margin_seconds')}`, '{{instance}}']],
      }),
    ]],
  ],
};
