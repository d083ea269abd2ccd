// Where a rollup's time goes.

import { Board } from './board.js';
import { heat, lines, stat, STATE } from './panels.js';
import { buckets, fleet, mean, quantile, rate, series } from './queries.js';

const phases = (topic: string) => lines({
  title: `An ${topic} attempt, phase by phase`, unit: 's', width: 12, style: 'bars',
  description: 'Mean time of each phase of the attempts that gave a proof. Keys should show at a worker\'s first job only.',
  queries: [[mean('zkwhirl_job_phase_duration_seconds', 'phase', `topic="${topic}"`), '{{phase}}']],
});

const heats = (topic: string) => heat({
  title: `Time on ${topic} jobs`, unit: 's', width: 12,
  description: 'From claim to settlement, attempts that gave a proof.',
  queries: [[buckets('zkwhirl_job_duration_seconds', `topic="${topic}"`, 'outcome="ok"'), '{{le}}']],
});

export const rollups: Board = {
  uid: 'zkwhirl-rollups',
  title: 'zkWhirl / Rollup anatomy',
  description: 'Where a rollup\'s time goes: stages, phases of attempts, waits, repeated work.',
  rows: [
    ['This rollup', [
      stat({
        title: 'Inner jobs proved', unit: 'percentunit', width: 6,
        description: 'Of the newest rollup.',
        queries: [[`max(${series('zkwhirl_rollup_inner_done_ratio')})`, 'done']],
      }),
      stat({
        title: 'Still takes', unit: 's', width: 6,
        description: 'From what jobs took lately and how many slots there are.',
        queries: [[`max(${series('zkwhirl_rollup_eta_seconds')})`, 'ETA']],
      }),
      stat({
        title: 'Rollups settled', unit: 'short', width: 6, decimals: 0,
        description: 'In this time range.',
        queries: [[`sum(increase(${series('zkwhirl_rollup_duration_seconds_count')}[$__range]))`, 'settled']],
      }),
      stat({
        title: 'Mean rollup', unit: 's', width: 6,
        description: 'Mean time of the rollups in this time range.',
        queries: [[`sum(increase(${series('zkwhirl_rollup_duration_seconds_sum')}[$__range])) / sum(increase(${series('zkwhirl_rollup_duration_seconds_count')}[$__range]) > 0)`, 'mean']],
      }),
    ]],
    ['Stages', [
      lines({
        title: 'Rollup, stage by stage', unit: 's', style: 'bars',
        colours: STATE,
        description: 'Mean time of each stage: inner jobs until the root rollup is asked for, the root rollup until its verifier, the verifier until it is delivered.',
        queries: [[mean('zkwhirl_rollup_stage_duration_seconds', 'stage'), '{{stage}}']],
      }),
      lines({
        title: 'Rollup time', unit: 's', warn: [600, 900],
        description: 'Objective: 95 % within 900 s.',
        queries: [
          [quantile(0.5, 'zkwhirl_rollup_duration_seconds', ''), 'p50'],
          [quantile(0.95, 'zkwhirl_rollup_duration_seconds', ''), 'p95'],
        ],
      }),
    ]],
    ['Jobs', [heats('inner'), heats('outer'), phases('inner'), phases('outer')]],
    ['Waits and repeats', [
      lines({
        title: 'From taken to proved', unit: 's', width: 8,
        description: 'Queue, attempts and verification together.',
        queries: [
          [quantile(0.5, 'zkwhirl_job_turnaround_seconds', 'topic'), '{{topic}} p50'],
          [quantile(0.95, 'zkwhirl_job_turnaround_seconds', 'topic'), '{{topic}} p95'],
        ],
      }),
      lines({
        title: 'Oldest outstanding job', unit: 's', width: 8,
        colours: STATE,
        description: 'Saw teeth are healthy; a line that only climbs is a job that nobody can prove.',
        queries: [[fleet('zkwhirl_oldest_job_age_seconds', 'topic'), '{{topic}}']],
      }),
      lines({
        title: 'Attempts per proof', unit: 'short', width: 8,
        colours: STATE,
        description: '1 is good. What is above was crashes, drains and deadlines.',
        queries: [[`${rate('zkwhirl_attempts_total', 'topic')} / (${rate('zkwhirl_attempts_total', 'topic', 'outcome="ok"')} > 0)`, '{{topic}}']],
      }),
    ]],
  ],
};
