//! The metrics of a bridge. Counts of jobs are authoritative here, because a
//! worker that stops loses its last counts.

use super::families;

families! {
    counter TICKETS "zkwhirl_bridge_tickets_total" [] "Tickets taken from Falafel.";
    counter JOINED "zkwhirl_bridge_joined_total" [] "Tickets whose request equals that of a known job, so that no new job was created.";
    counter REISSUES "zkwhirl_bridge_reissues_total" [] "Open tickets that Falafel issued again because their lease had lapsed.";
    counter DELIVERED "zkwhirl_bridge_delivered_total" [] "Tickets answered with a reply.";
    counter NACKS "zkwhirl_bridge_nacks_total" [] "Tickets answered with a NACK because an operator rejected the job.";
    counter UNVERIFIED "zkwhirl_bridge_unverified_total" [] "Replies that the bridge's verifier refused.";
    counter STRAYS "zkwhirl_bridge_strays_total" [] "Results of jobs that the ledger does not know.";
    counter FORGOTTEN "zkwhirl_bridge_forgotten_total" [] "Tickets closed because Falafel no longer knows them.";
    counter REPUBLISHED "zkwhirl_bridge_republished_total" [] "Jobs published again because the broker had lost them.";
    counter KEYSTORE_ANSWERS "zkwhirl_bridge_keystore_answers_total" [] "Verification key jobs answered from the keystore, without a worker.";
    counter ADOPTED "zkwhirl_bridge_adopted_total" [] "Tickets taken over from bridges whose heartbeat had expired.";
    counter REJOINED "zkwhirl_bridge_rejoined_total" [] "Times that this bridge registered again because its heartbeat in the ledger had expired.";
    gauge MEMBER "zkwhirl_bridge_member" [] "1 while this bridge is registered in the ledger.";
    gauge UPSTREAM_REACHABLE "zkwhirl_bridge_upstream_reachable" [UPSTREAM] "1 while Falafel's server answers or holds a long poll.";
    counter POLLS "zkwhirl_bridge_polls_total" [UPSTREAM] "Long polls for jobs that this bridge started.";
    gauge SAMPLED "zkwhirl_bridge_sampled_timestamp_seconds" [] "When the fleet-wide figures were last read from ledger and broker.";

    gauge LEASES "zkwhirl_lease_open" [] "Open tickets that this bridge pings.";
    counter PINGS "zkwhirl_lease_pings_total" [CALL] "Pings of tickets.";
    histogram(LEASE) PING_GAP "zkwhirl_lease_ping_gap_seconds" [] "Time between two answered pings of a ticket; Falafel allows 5 s.";
    gauge WORST_GAP "zkwhirl_lease_worst_gap_seconds" [] "Longest time between two answered pings of a ticket since the start of the process.";
    gauge MARGIN "zkwhirl_lease_margin_seconds" [] "5 s (Falafel's lease) minus the longest time between two pings of a ticket in the last minute.";

    counter SUBMITTED "zkwhirl_jobs_submitted_total" [TOPIC] "New jobs created from tickets.";
    counter COMPLETED "zkwhirl_jobs_completed_total" [TOPIC COMPLETION] "Jobs that ended, dead letters included.";
    counter DEAD_LETTERED "zkwhirl_jobs_dead_lettered_total" [TOPIC DEATH] "Jobs that became dead letters.";
    counter DUPLICATES "zkwhirl_jobs_duplicate_results_total" [TOPIC] "Results of jobs that already had a result.";
    histogram(JOB) TURNAROUND "zkwhirl_job_turnaround_seconds" [TOPIC] "Time from taking a job's first ticket to the job's verified result.";
    gauge JOBS "zkwhirl_jobs" [TOPIC STATE] "Jobs by state.";
    gauge OUTSTANDING "zkwhirl_jobs_outstanding" [TOPIC] "Unfinished jobs: taken, queued, claimed, proving or retrying. The autoscaler scales on this metric.";
    gauge JOBS_UNVERIFIED "zkwhirl_jobs_unverified" [] "Jobs whose reply waits in the ledger because it cannot be verified yet.";
    gauge OLDEST "zkwhirl_oldest_job_age_seconds" [TOPIC] "Age of the oldest outstanding job.";
    gauge QUEUE_JOBS "zkwhirl_queue_jobs" [TOPIC PLACE] "Jobs by the place in which the broker holds them.";
    gauge CONSUMERS "zkwhirl_queue_consumers" [TOPIC] "Slots that consume a topic's queue or are proving a job of the topic.";

    gauge ROLLUPS "zkwhirl_rollups_in_flight" [STAGE] "Rollups in flight by stage.";
    histogram(ROLLUP) ROLLUP_DURATION "zkwhirl_rollup_duration_seconds" [] "Time from a rollup's first inner job to the delivery of its root verifier's reply.";
    histogram(ROLLUP) ROLLUP_STAGE "zkwhirl_rollup_stage_duration_seconds" [STAGE] "Duration of each stage of a rollup.";
    gauge ROLLUP_ETA "zkwhirl_rollup_eta_seconds" [] "Estimated time until the newest rollup is settled; 0 if no rollup is in flight or no estimate exists.";
    gauge ROLLUP_PROGRESS "zkwhirl_rollup_inner_done_ratio" [] "Share of the newest rollup's inner jobs that are proved.";

    counter API_REQUESTS "zkwhirl_api_requests_total" [ROUTE CODE] "Requests to the HTTP API.";
    histogram(JOB) API_SECONDS "zkwhirl_api_request_duration_seconds" [] "Time to answer a request of the HTTP API; a request for a proof waits for the proof.";
}
