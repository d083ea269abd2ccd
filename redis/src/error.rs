//! Classifies the errors of Redis for the caller.

use redis::{ErrorKind, RedisError, ServerErrorKind};

/// Whether the same call may succeed in a moment: the connection broke or gave
/// no answer in time, or Redis runs a long script, loads its data or changes its
/// role.
pub fn may_pass(error: &RedisError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Io
            | ErrorKind::Server(
                ServerErrorKind::BusyLoading
                    | ServerErrorKind::TryAgain
                    | ServerErrorKind::MasterDown
                    | ServerErrorKind::ClusterDown
                    // The primary became a replica a moment ago.
                    | ServerErrorKind::ReadOnly
            )
    ) || matches!(error.code(), Some("BUSY"))
}

/// The reason of a failed call, in words for an operator.
pub fn why(error: &RedisError) -> String {
    let text = error.to_string();
    match error.code() {
        Some("OOM") => "redis has no memory left, and nothing was changed".to_owned(),
        Some("MISCONF") => format!("redis cannot write its disk: {text}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The error of a server that answers `answer`.
    fn answered(answer: &str) -> RedisError {
        let value = redis::parse_redis_value(format!("-{answer}\r\n").as_bytes());
        value.unwrap().extract_error().unwrap_err()
    }

    #[test]
    fn what_may_pass_is_tried_again_and_nothing_else() {
        for (answer, passes) in [
            ("LOADING Redis is loading the dataset in memory", true),
            ("TRYAGAIN Multiple keys request during rehashing", true),
            ("MASTERDOWN Link with MASTER is down", true),
            ("CLUSTERDOWN The cluster is down", true),
            ("READONLY You can't write against a replica.", true),
            ("BUSY Redis is busy running a script.", true),
            ("OOM command not allowed", false),
            ("MISCONF Errors writing to the AOF file", false),
            ("WRONGTYPE Operation against a key", false),
            ("NOAUTH Authentication required.", false),
        ] {
            assert_eq!(may_pass(&answered(answer)), passes, "{answer}");
        }
        let broken: RedisError = std::io::Error::from(std::io::ErrorKind::BrokenPipe).into();
        assert!(may_pass(&broken));
    }

    #[test]
    fn a_full_disk_and_a_full_memory_are_said_as_such() {
        let full = "OOM command not allowed when used memory > 'maxmemory'";
        let said = "redis has no memory left, and nothing was changed";
        assert_eq!(why(&answered(full)), said);
        let disk = "MISCONF Errors writing to the AOF file: No space";
        let disk = why(&answered(disk));
        assert!(disk.starts_with("redis cannot write its disk: "), "{disk}");
        assert!(disk.contains("No space"), "{disk}");
        let other = answered("WRONGTYPE Operation against a key");
        assert_eq!(why(&other), other.to_string());
    }
}
