//! Proving and verification keys by identity: made once, checked when read, never mixed.
