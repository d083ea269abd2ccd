//! Loops that are compiled for the instructions of a machine.

/// The right to run a machine's instructions: a value is made only after the
/// processor was asked.
pub(crate) trait Machine: Copy + Send + Sync {
    /// Runs `kernel` compiled for these instructions.
    fn run<K: Kernel<Self>>(self, kernel: K);
}

/// A loop. What it calls must be `#[inline(always)]`: only what is inlined into
/// it is compiled for the instructions of `M`.
pub(crate) trait Kernel<M> {
    fn run(self, machine: M);
}
