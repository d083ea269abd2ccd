//! Benchmark of this crate's sums against those of arkworks, in pairs in one process.
//!
//! `cargo bench -p zkwhirl-msm [-- FIRST LAST PAIRS [WORD …]]`: from 2^FIRST to
//! 2^LAST points (14 to 18), PAIRS of each (5), only lines that have all WORDs.
//! `RAYON_NUM_THREADS` sets the number of threads. Times are medians, in milliseconds
//! of CPU time over all threads. Ratios, of CPU time and of clock time, are medians
//! with the smallest and the largest. On a busy machine, CPU time varies less.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_types,
    reason = "a benchmark prints, fails by panicking, and times with the real clock"
)]

use std::{env, time::Instant};

use ark_bn254::{Fr, g1, g2};
use ark_ec::{
    CurveGroup, VariableBaseMSM,
    short_weierstrass::{Affine, Projective},
};
use ark_ff::{AdditiveGroup, UniformRand, Zero};
use ark_std::rand::Rng;
use rustix::time::{ClockId, clock_gettime};
use zkwhirl_msm::{Arithmetic, Curve, Scalars};

fn main() {
    let numbers: Vec<usize> = env::args().filter_map(|a| a.parse().ok()).collect();
    let (first, last, pairs) = match numbers[..] {
        [first, last, pairs] => (first, last, pairs),
        _ => (14, 18, 5),
    };
    println!("{} threads", rayon::current_num_threads());
    println!(
        "group scalars points  arithmetic  ours CPU  ark CPU  CPU ratio           clock ratio"
    );
    for log in first..=last {
        for (kind, scalars) in [("random", random(log)), ("bits", bits(log))] {
            compare::<g1::Config>("G1", kind, &scalars, pairs);
            compare::<g2::Config>("G2", kind, &scalars, pairs);
        }
    }
}

fn random(log: usize) -> Vec<Fr> {
    let rng = &mut ark_std::test_rng();
    (0..1 << log).map(|_| Fr::rand(rng)).collect()
}

/// Scalars as in a witness of Pedersen hashes: 19 of 20 are 0 or 1.
fn bits(log: usize) -> Vec<Fr> {
    let rng = &mut ark_std::test_rng();
    let scalar = |_| match rng.gen_range(0..20) {
        0 => Fr::rand(rng),
        some => Fr::from(some % 2),
    };
    (0..1 << log).map(scalar).collect()
}

/// CPU time and clock time, in milliseconds.
#[derive(Clone, Copy)]
struct Times {
    cpu: f64,
    clock: f64,
}

fn compare<C: Curve>(group: &str, kind: &str, scalars: &[Fr], pairs: usize) {
    let points = points::<C>(scalars.len());
    let ways = [Some(Arithmetic::PORTABLE), Arithmetic::wide()];
    for arithmetic in ways.into_iter().flatten() {
        let words = [group, kind, arithmetic.name()];
        let mut wanted = env::args().skip(4).filter(|word| !word.starts_with('-'));
        if !wanted.all(|word| words.contains(&&word[..])) {
            continue;
        }
        let mut times = Vec::new();
        for _ in 0..pairs {
            let (ours, our_sum) = timed(|| {
                let scalars = Scalars::new(scalars);
                arithmetic.sum(&points, &scalars)
            });
            let (ark, ark_sum) = timed(|| Projective::<C>::msm(&points, scalars).unwrap());
            assert_eq!(our_sum, ark_sum);
            times.push((ours, ark));
        }
        let spread = |of: &dyn Fn(&(Times, Times)) -> f64| {
            let mut values: Vec<f64> = times.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            (values[pairs / 2], values[0], values[pairs - 1])
        };
        let (cpu, least_cpu, most_cpu) = spread(&|(ours, ark)| ark.cpu / ours.cpu);
        let (clock, least, most) = spread(&|(ours, ark)| ark.clock / ours.clock);
        println!(
            "{group:<5} {kind:<7} 2^{:<4} {:>11} {:>9.1} {:>8.1}  \
             {cpu:>5.2} ({least_cpu:.2} to {most_cpu:.2})  {clock:>5.2} ({least:.2} to {most:.2})",
            scalars.len().ilog2(),
            arithmetic.name(),
            spread(&|(ours, _)| ours.cpu).0,
            spread(&|(_, ark)| ark.cpu).0,
        );
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> (Times, T) {
    let (start, cpu) = (Instant::now(), cpu());
    let done = work();
    let times = Times {
        cpu: self::cpu() - cpu,
        clock: 1e3 * start.elapsed().as_secs_f64(),
    };
    (times, done)
}

/// The CPU time of this process, in milliseconds.
fn cpu() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    1e3 * now.tv_sec as f64 + 1e-6 * now.tv_nsec as f64
}

/// Points without a known relation: a chain of additions that begins with two random
/// points.
fn points<C: Curve>(count: usize) -> Vec<Affine<C>> {
    let rng = &mut ark_std::test_rng();
    let (mut point, mut step) = (Projective::<C>::rand(rng), Projective::<C>::rand(rng));
    let mut points = Vec::with_capacity(count);
    for _ in 0..count {
        points.push(point);
        step += point;
        point = step.double() + point;
    }
    assert!(!point.is_zero());
    Projective::normalize_batch(&points)
}
