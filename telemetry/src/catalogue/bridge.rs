//! What a bridge records. Its counts of jobs are the authoritative ones:
//! workers come and go, and with them what they counted last.

use super::families;

families! {
    counter TICKETS "zkwhirl_bridge_tickets_total" [] "Tickets taken.";
    counter JOINED "zkwhirl_bridge_joined_total" [] "Tickets that joined a job which was known.";
    counter REISSUES "zkwhirl_bridge_reissues_total" [] "Open tickets that Falafel issued again: leases that had lapsed.";
    counter DELIVERED "zkwhirl_bridge_delivered_total" [] "Tickets answered with a reply.";
    counter NACKS "zkwhirl_bridge_nacks_total" [] "Tickets answered with a NACK on an operator's word.";
    counter UNVERIFIED "zkwhirl_bridge_unverified_total" [] "Replies that did not verify.";
    counter STRAYS "zkwhirl_bridge_strays_total" [] "Results of jobs that nobody knows.";
    counter FORGOTTEN "zkwhirl_bridge_forgotten_total" [] "Tickets that Falafel had forgotten.";
    counter REPUBLISHED "zkwhirl_bridge_republished_total" [] "Jobs that the broker had lost.";
    counter KEYSTORE_ANSWERS "zkwhirl_bridge_keystore_answers_total" [] "Verification keys answered without a worker.";
    counter ADOPTED "zkwhirl_bridge_adopted_total" [] "Tickets taken over from other bridges.";
    counter REJOINED "zkwhirl_bridge_rejoined_total" [] "Times that this bridge's heartbeat had ended.";
    gauge MEMBER "zkwhirl_bridge_member" [] "Whether this bridge has a place among those of the ledger.";
    gauge UPSTREAM_REACHABLE "zkwhirl_bridge_upstream_reachable" [UPSTREAM] "Whether Falafel's server answered the last time, or lets a poll wait.";
    counter POLLS "zkwhirl_bridge_polls_total" [UPSTREAM] "Long polls started.";
    gauge SAMPLED "zkwhirl_bridge_sampled_timestamp_seconds" [] "When the figures about the whole fleet were last read from ledger and broker.";

    gauge LEASES "zkwhirl_lease_open" [] "Tickets that are pinged now.";
    counter PINGS "zkwhirl_lease_pings_total" [CALL] "Pings of tickets.";
    histogram(LEASE) PING_GAP "zkwhirl_lease_ping_gap_seconds" [] "Time between two answered pings of a ticket; Falafel allows 5 s.";
    gauge WORST_GAP "zkwhirl_lease_worst_gap_seconds" [] "Longest time that a ticket was without an answered ping, since the start.";
    gauge MARGIN "zkwhirl_lease_margin_seconds" [] "What was left of Falafel's 5 s for the worst ticket of the last minute.";

    counter SUBMITTED "zkwhirl_jobs_submitted_total" [TOPIC] "Jobs made of tickets.";
    counter COMPLETED "zkwhirl_jobs_completed_total" [TOPIC COMPLETION] "Jobs that came to an end, or to a stop as dead letters.";
    counter DEAD_LETTERED "zkwhirl_jobs_dead_lettered_total" [TOPIC DEATH] "Jobs that became dead letters.";
    counter DUPLICATES "zkwhirl_jobs_duplicate_results_total" [TOPIC] "Results of jobs that had one.";
    histogram(JOB) TURNAROUND "zkwhirl_job_turnaround_seconds" [TOPIC] "From the taking of a job to its verified result.";
    gauge JOBS "zkwhirl_jobs" [TOPIC STATE] "Jobs by where they are in their life.";
    gauge OUTSTANDING "zkwhirl_jobs_outstanding" [TOPIC] "Jobs that workers have to finish: taken, queued, claimed, proving or retrying. What the fleet is scaled by.";
    gauge OLDEST "zkwhirl_oldest_job_age_seconds" [TOPIC] "Age of the oldest outstanding job.";
    gauge QUEUE_JOBS "zkwhirl_queue_jobs" [TOPIC PLACE] "Jobs by where the broker holds them.";
    gauge CONSUMERS "zkwhirl_queue_consumers" [TOPIC] "Slots of workers that wait at a queue or hold a job of it.";

    gauge ROLLUPS "zkwhirl_rollups_in_flight" [STAGE] "Rollups under way, by the stage that they are in.";
    histogram(ROLLUP) ROLLUP_DURATION "zkwhirl_rollup_duration_seconds" [] "From a rollup's first inner job to the delivery of its root verifier.";
    histogram(ROLLUP) ROLLUP_STAGE "zkwhirl_rollup_stage_duration_seconds" [STAGE] "How long each stage of a rollup took.";
    gauge ROLLUP_ETA "zkwhirl_rollup_eta_seconds" [] "Expected time to the end of the newest rollup; 0 when none is under way or nothing is known yet.";
    gauge ROLLUP_PROGRESS "zkwhirl_rollup_inner_done_ratio" [] "Part of the newest rollup's inner jobs that are proved.";

    counter API_REQUESTS "zkwhirl_api_requests_total" [ROUTE CODE] "Requests to the HTTP API.";
    histogram(JOB) API_SECONDS "zkwhirl_api_request_duration_seconds" [] "Time to answer a request of the HTTP API; one for a proof waits for it.";
}
