//! The claim loop: claim one job, prove it, verify, store the result, acknowledge.
