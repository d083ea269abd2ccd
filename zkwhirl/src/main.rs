//! zkWhirl: the job cluster that proves rollups.
fn main() {}
