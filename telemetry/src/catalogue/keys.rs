//! The metrics of proving keys, the fleet's keystore and the ledger.

use super::families;

families! {
    histogram(PHASE) KEY_LOAD_SECONDS "zkwhirl_key_load_seconds" [KEY_SOURCE] "Time to load or generate a proving key that was not in memory.";
    counter KEYSTORE_REQUESTS "zkwhirl_keystore_requests_total" [CALL] "Calls to the fleet's keystore in Redis.";
    histogram(IO) KEYSTORE_SECONDS "zkwhirl_keystore_request_duration_seconds" [] "Duration of calls to the fleet's keystore in Redis.";
    counter KEYSTORE_DAMAGED "zkwhirl_keystore_damaged_total" [] "Keys read whose bytes did not match their digest or id.";
    counter LEDGER_REQUESTS "zkwhirl_ledger_requests_total" [CALL] "Calls to the ledger in Redis.";
    histogram(IO) LEDGER_SECONDS "zkwhirl_ledger_request_duration_seconds" [] "Duration of calls to the ledger in Redis, retries included.";
}
