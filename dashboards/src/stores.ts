// What lies between bridge and workers: RabbitMQ, Redis, keys.

import { Board } from './board.js';
import { lines, stat, STATE } from './panels.js';
import { fleet, quantile, rate, series, sum } from './queries.js';

export const stores: Board = {
  uid: 'zkwhirl-stores',
  title: 'zkWhirl / Broker & keystore',
  description: 'What lies between bridge and workers: RabbitMQ, Redis, keys, Falafel\'s servers.',
  rows: [
    ['Now', [
      stat({
        title: 'Processes without RabbitMQ', unit: 'short', warn: [1, 2],
        description: 'Connections that do not stand. Jobs are not lost meanwhile; tickets stay pinged.',
        queries: [[`count(${series('zkwhirl_broker_connected')} == 0) or vector(0)`, 'without']],
      }),
      stat({
        title: 'Falafel\'s servers reachable', unit: 'short',
        description: 'Of the two job servers. The outer one is closed in Falafel\'s single-server mode.',
        queries: [[`sum(${fleet('zkwhirl_bridge_upstream_reachable', 'upstream')})`, 'reachable']],
      }),
      stat({
        title: 'Bridges', unit: 'short', warn: [1, 1, 'below'],
        description: 'Bridges with a place in the ledger. Two take over from each other.',
        queries: [[`sum(${series('zkwhirl_bridge_member')})`, 'bridges']],
      }),
      stat({
        title: 'Leases', unit: 'short',
        description: 'Tickets that are pinged each second.',
        queries: [[`sum(${series('zkwhirl_lease_open')})`, 'open']],
      }),
      stat({
        title: 'Damaged keys', unit: 'short', warn: [1, 1],
        description: 'Keys that were not what they should be. They were refused; find out why they changed.',
        queries: [[`sum(${series('zkwhirl_keystore_damaged_total')})`, 'damaged']],
      }),
      stat({
        title: 'Redis calls without answer', unit: 'percentunit', warn: [0.001, 0.01],
        description: 'Of the ledger\'s calls.',
        queries: [[`sum(${rate('zkwhirl_ledger_requests_total', 'result', 'result="error"')}) / sum(${rate('zkwhirl_ledger_requests_total', 'result')} > 0)`, 'failed']],
      }),
    ]],
    ['RabbitMQ', [
      lines({
        title: 'Inner jobs in the broker', unit: 'short', width: 8, style: 'area', colours: STATE,
        description: 'By where they are. In flight needs RabbitMQ\'s management API.',
        queries: [
          [fleet('zkwhirl_queue_jobs', 'place', 'topic="inner"', 'place="ready"'), 'ready'],
          [fleet('zkwhirl_queue_jobs', 'place', 'topic="inner"', 'place="in_flight"'), 'in flight'],
          [fleet('zkwhirl_queue_jobs', 'place', 'topic="inner"', 'place="retrying"'), 'retrying'],
        ],
      }),
      lines({
        title: 'Publish until confirmed', unit: 's', width: 8,
        description: 'A confirm waits for the disks of most nodes. Tens of milliseconds are good.',
        queries: [
          [quantile(0.5, 'zkwhirl_broker_publish_duration_seconds', 'queue'), '{{queue}} p50'],
          [quantile(0.99, 'zkwhirl_broker_publish_duration_seconds', 'queue'), '{{queue}} p99'],
        ],
      }),
      lines({
        title: 'Outstanding: ledger and broker', unit: 'short', width: 8,
        description: 'The same jobs, counted twice. A difference that stays is a job that one of them has lost: ZkWhirlOutstandingMismatch.',
        queries: [
          [`max(${series('zkwhirl_jobs_outstanding', 'topic="inner"')})`, 'ledger'],
          [`sum(${fleet('zkwhirl_queue_jobs', 'place', 'topic="inner"')})`, 'broker'],
        ],
      }),
    ]],
    ['Redis', [
      lines({
        title: 'Calls of the ledger', unit: 'reqps', width: 8,
        colours: STATE,
        description: 'By whether they were answered.',
        queries: [[rate('zkwhirl_ledger_requests_total', 'result'), '{{result}}']],
      }),
      lines({
        title: 'Time of a call', unit: 's', width: 8,
        description: 'Repeats included: a Redis that comes back is seen as one slow call.',
        queries: [
          [quantile(0.5, 'zkwhirl_ledger_request_duration_seconds', ''), 'ledger p50'],
          [quantile(0.99, 'zkwhirl_ledger_request_duration_seconds', ''), 'ledger p99'],
        ],
      }),
      lines({
        title: 'Jobs by state', unit: 'short', width: 8, style: 'area', colours: STATE,
        description: 'What the ledger knows, finished jobs left out.',
        queries: [['sum by (state) (' + fleet('zkwhirl_jobs', 'state, topic') + ')', '{{state}}']],
      }),
    ]],
    ['Keys', [
      lines({
        title: 'Keystore calls', unit: 'reqps', width: 8,
        colours: STATE,
        description: 'Of the fleet\'s keystore in Redis, by whether they were answered.',
        queries: [[rate('zkwhirl_keystore_requests_total', 'result'), '{{result}}']],
      }),
      lines({
        title: 'Proving keys made ready', unit: 'short', width: 8, style: 'bars',
        description: 'By where they came from. Made: a setup of minutes; once per fleet and circuit.',
        queries: [[`sum by (source) (increase(${series('zkwhirl_key_load_seconds_count')}[$__rate_interval]))`, '{{source}}']],
      }),
      lines({
        title: 'Time in keystore calls per minute', unit: 's', width: 8,
        description: 'Of all processes together. A call takes a few milliseconds.',
        queries: [[`60 * ${rate('zkwhirl_keystore_request_duration_seconds_sum', 'job')}`, '{{job}}']],
      }),
    ]],
    ['Falafel', [
      lines({
        title: 'Tickets per minute', unit: 'short', width: 8,
        description: 'Taken and delivered. Issued again: a lease had lapsed.',
        queries: [
          [`60 * sum(${rate('zkwhirl_bridge_tickets_total', 'job')})`, 'taken'],
          [`60 * sum(${rate('zkwhirl_bridge_delivered_total', 'job')})`, 'delivered'],
          [`60 * sum(${rate('zkwhirl_bridge_reissues_total', 'job')})`, 'issued again'],
        ],
      }),
      lines({
        title: 'Pings per second', unit: 'reqps', width: 8,
        colours: STATE,
        description: 'One a second for each open ticket.',
        queries: [[rate('zkwhirl_lease_pings_total', 'result'), '{{result}}']],
      }),
      lines({
        title: 'Memory of services and provers', unit: 'bytes', width: 8, style: 'area',
        description: 'Resident, all processes together.',
        queries: [[sum('zkwhirl_resident_bytes', 'part'), '{{part}}']],
      }),
    ]],
  ],
};
