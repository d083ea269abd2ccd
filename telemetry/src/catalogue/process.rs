//! What every process records.

use super::families;

families! {
    gauge BUILD "zkwhirl_build_info" [VERSION] "1, with the version.";
    gauge START "zkwhirl_start_timestamp_seconds" [] "When the process started.";
    gauge DRAINING "zkwhirl_draining" [] "Whether the process was told to end and finishes its work.";
    counter CPU "zkwhirl_cpu_seconds_total" [PART] "Processor time used.";
    gauge RESIDENT "zkwhirl_resident_bytes" [PART] "Memory in use.";
    gauge FREE_MEMORY "zkwhirl_free_memory_bytes" [] "Memory that the machine, or the container's limit, has left.";
    gauge BROKER_CONNECTED "zkwhirl_broker_connected" [CONNECTION] "Whether the connection to RabbitMQ stands; an embedded broker always does.";
    histogram(IO) PUBLISH_SECONDS "zkwhirl_broker_publish_duration_seconds" [QUEUE] "Time to publish a message until the broker has it on disk.";
    counter RETRIED "zkwhirl_jobs_retried_total" [TOPIC RETRY] "Jobs sent to the queue again: by workers after a failure or a drain, by bridges when a reply does not verify or the broker lost the job.";
    histogram(COARSE) WASTED "zkwhirl_wasted_work_seconds" [TOPIC WASTE] "Provers' time that led to nothing: workers record failed attempts, bridges refused and duplicate results.";
}
