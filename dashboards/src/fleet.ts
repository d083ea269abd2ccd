// Whether the fleet has the size that the work wants, and what it costs.

import { Board } from './board.js';
import { lines, stat, STATE } from './panels.js';
import { HERE, fleet as one, mean, rate, series, sum } from './queries.js';

const HPA = 'kube_horizontalpodautoscaler';
const hpa = (what: string) => `max(${HPA}_${what}{${HERE}, horizontalpodautoscaler=~".*worker-inner.*"})`;
const slots = (state: string) => `sum(${series('zkwhirl_worker_slots', 'topic="inner"', `state="${state}"`)})`;

export const fleet: Board = {
  uid: 'zkwhirl-fleet',
  title: 'zkWhirl / Fleet & autoscaling',
  description: 'Whether the fleet has the size that the work wants, and what it costs.',
  inputs: [['price', 'Price of a slot, $/h', '2.016']],
  rows: [
    ['Now', [
      stat({
        title: 'Inner slots', unit: 'short',
        description: 'Slots that may take inner jobs.',
        queries: [[`sum(${series('zkwhirl_worker_capacity', 'topic="inner"')})`, 'slots']],
      }),
      stat({
        title: 'Busy', unit: 'percentunit',
        description: 'Part of the inner slots that prove now. While jobs wait, good is above 80 %.',
        queries: [[`${slots('busy')} / sum(${series('zkwhirl_worker_capacity', 'topic="inner"')})`, 'busy']],
      }),
      stat({
        title: 'Slowest start to ready', unit: 's', warn: [120, 300],
        description: 'From the start of a worker to its first slot in the queue: what the autoscaler waits for after it has decided.',
        queries: [[`max(${series('zkwhirl_worker_start_to_ready_seconds')})`, 'start']],
      }),
      stat({
        title: 'Draining', unit: 'short',
        description: 'Processes that were told to end and finish their work.',
        queries: [[`sum(${series('zkwhirl_draining')})`, 'draining']],
      }),
      stat({
        title: 'Versions', unit: 'short', warn: [2, 3],
        description: 'Different versions that run. More than one for longer than a rollout: ZkWhirlVersionSkew.',
        queries: [[`count(count by (version) (${series('zkwhirl_build_info')}))`, 'versions']],
      }),
      stat({
        title: 'Cost', unit: 'currencyUSD', decimals: 2,
        description: 'Per hour: all slots at the price above.',
        queries: [[`sum(${series('zkwhirl_worker_capacity')}) * $price`, 'per hour']],
      }),
    ]],
    ['Size', [
      lines({
        title: 'Work and workers', unit: 'short', width: 16, height: 9,
        description: 'The gap between outstanding jobs and busy slots is the story: it should close within the start of a pod.',
        queries: [
          [`max(${series('zkwhirl_jobs_outstanding', 'topic="inner"')})`, 'outstanding'],
          [`sum(${series('zkwhirl_worker_capacity', 'topic="inner"')})`, 'slots'],
          [slots('busy'), 'busy'],
        ],
        colours: { outstanding: '#fade2a', slots: STATE['idle']!, busy: STATE['busy']! },
      }),
      lines({
        title: 'What the autoscaler wants', unit: 'short', width: 8, height: 9,
        description: 'From kube-state-metrics. Desired at the maximum for long: ZkWhirlHpaMaxedOut.',
        queries: [
          [hpa('status_desired_replicas'), 'desired'],
          [hpa('status_current_replicas'), 'current'],
          [hpa('spec_max_replicas'), 'maximum'],
        ],
        limits: ['maximum'],
      }),
    ]],
    ['Use', [
      lines({
        title: 'Utilisation', unit: 'percentunit', width: 8, max: 1,
        colours: STATE,
        description: 'Time on jobs of all slots\' time. Good: above 80 % while jobs wait.',
        queries: [[`${rate('zkwhirl_worker_busy_seconds_total', 'topic')} / ${sum('zkwhirl_worker_capacity', 'topic')}`, '{{topic}}']],
      }),
      lines({
        title: 'Processors', unit: 'short', width: 8, style: 'area',
        description: 'Cores in use, by provers and by the services around them.',
        queries: [[rate('zkwhirl_cpu_seconds_total', 'part'), '{{part}}']],
      }),
      lines({
        title: 'CPU per job', unit: 's', width: 8,
        description: 'Provers\' processor time for one proved job, of all kinds: what a proof costs, whatever the fleet\'s size.',
        queries: [[`sum(${rate('zkwhirl_cpu_seconds_total', 'part', 'part="provers"')}) / (sum(${rate('zkwhirl_attempts_total', 'outcome', 'outcome="ok"')}) > 0)`, 'CPU per job']],
      }),
    ]],
    ['Workers', [
      lines({
        title: 'Memory: least free, largest prover', unit: 'bytes', width: 8,
        description: 'Memory left on the tightest machine or container, and the largest peak of a prover\'s last job.',
        queries: [
          [`min(${series('zkwhirl_free_memory_bytes')})`, 'least free'],
          [`max(${series('zkwhirl_worker_peak_memory_bytes')})`, 'largest prover'],
        ],
      }),
      lines({
        title: 'Attempts per minute', unit: 'short', width: 8, style: 'bars', colours: STATE,
        description: 'By how they ended.',
        queries: [[`60 * ${rate('zkwhirl_attempts_total', 'outcome')}`, '{{outcome}}']],
      }),
      lines({
        title: 'Redeliveries and prover restarts per minute', unit: 'short', width: 8, style: 'bars',
        description: 'Jobs that another worker lost, and provers that were started again.',
        queries: [
          [`60 * sum(${rate('zkwhirl_jobs_redelivered_total', 'topic')})`, 'redelivered'],
          [`60 * sum(${rate('zkwhirl_prover_restarts_total', 'result')})`, 'restarted'],
        ],
      }),
      lines({
        title: 'Mean time on a job, by worker', unit: 's', width: 12,
        description: 'One line far above the others is a slow machine.',
        queries: [[mean('zkwhirl_job_duration_seconds', 'instance', 'outcome="ok"', 'topic="inner"'), '{{instance}}']],
      }),
      lines({
        title: 'Slots that the broker sees', unit: 'short', width: 12,
        description: 'Consumers at the queue and slots that workers count should agree; if not, a worker hangs.',
        queries: [
          [one('zkwhirl_queue_consumers', 'topic'), '{{topic}} consumers'],
          [sum('zkwhirl_worker_slots', 'topic', 'state=~"idle|busy"'), '{{topic}} slots'],
        ],
      }),
    ]],
  ],
};
