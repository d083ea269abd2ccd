//! Number-theoretic transforms over the scalars, as far as the quotient of a
//! QAP needs them.

use ark_bn254::Fr;
use ark_ff::{FftField, Field};
use rayon::prelude::*;

use crate::butterfly::{Blocks, Butterflies, Combine, Direction, Multiply, RADIX, Strided};

/// Values of a task.
const TASK: usize = 1 << 12;

/// The roots of a domain of n, each times [`Butterflies::SCALE`].
struct Roots {
    forward: Vec<Fr>,
    inverse: Vec<Fr>,
}

/// Which polynomial values are taken modulo: X^n − 1, whose roots are the
/// domain, or X^n + 1, whose roots are a coset of the domain.
#[derive(Clone, Copy)]
enum Ring {
    Domain,
    Coset,
}

/// The coefficients of (A·B − C) / (X^n − 1), where A, B and C have the values
/// `a`, `b` and a·b on the domain of n = `a.len()` roots of unity, in order.
///
/// A·B is C modulo X^n − 1, and h·(X^n − 1) + C is C − 2h modulo X^n + 1: so h is
/// half of the difference of A·B modulo the two. Six transforms, none of them
/// permuted: values come and go in the order of reversed bits.
pub(crate) fn quotient<B: Butterflies>(
    machine: B,
    mut a: Vec<Fr>,
    mut b: Vec<Fr>,
) -> Option<Vec<Fr>> {
    let n = a.len();
    if !n.is_power_of_two() || n < RADIX * B::LANES || b.len() != n {
        return None;
    }
    let roots = Roots::new(n, B::SCALE)?;
    rayon::join(|| reverse(&mut a), || reverse(&mut b));
    let mut c = a.clone();
    multiply(machine, &mut c, &b);
    let coset = |values: &mut [Fr]| {
        roots.inverse(machine, Ring::Domain, values);
        roots.forward(machine, Ring::Coset, values);
    };
    rayon::join(
        || roots.inverse(machine, Ring::Domain, &mut c),
        || rayon::join(|| coset(&mut a), || coset(&mut b)),
    );
    multiply(machine, &mut a, &b);
    drop(b);
    roots.inverse(machine, Ring::Coset, &mut a);
    // Inverse transforms leave a factor n each, products are short of the scale.
    let n_inverse = Fr::from(n as u64).inverse()?;
    let scale = Fr::from(B::SCALE);
    let half = scale * Fr::from(2).inverse()? * n_inverse;
    let factors = [half, -half * n_inverse.square()].map(|factor| factor * scale);
    let right = a.par_chunks(TASK);
    c.par_chunks_mut(TASK).zip(right).for_each(|(left, right)| {
        machine.run(Combine {
            left,
            right,
            factors,
        });
    });
    Some(c)
}

fn multiply<B: Butterflies>(machine: B, left: &mut [Fr], right: &[Fr]) {
    let right = right.par_chunks(TASK);
    let both = left.par_chunks_mut(TASK).zip(right);
    both.for_each(|(left, right)| machine.run(Multiply { left, right }));
}

/// Into the order of reversed bits.
fn reverse(values: &mut [Fr]) {
    let unused = usize::BITS - values.len().ilog2();
    for place in 0..values.len() {
        let other = place.reverse_bits() >> unused;
        if place < other {
            values.swap(place, other);
        }
    }
}

impl Roots {
    /// `None` where the field has no such roots.
    fn new(n: usize, scale: u64) -> Option<Self> {
        let root = Fr::get_root_of_unity(2 * n as u64)?;
        let (forward, inverse) = rayon::join(
            || Some(powers(root, n, scale)),
            || Some(powers(root.inverse()?, n, scale)),
        );
        Some(Self {
            forward: forward?,
            inverse: inverse?,
        })
    }

    fn forward<B: Butterflies>(&self, machine: B, ring: Ring, values: &mut [Fr]) {
        let mut blocks = 1;
        for levels in levels(values.len()) {
            self.strided(
                machine,
                (Direction::Forward, ring),
                (blocks, levels),
                values,
            );
            blocks <<= levels;
        }
        self.blocks(machine, (Direction::Forward, ring), values);
    }

    fn inverse<B: Butterflies>(&self, machine: B, ring: Ring, values: &mut [Fr]) {
        self.blocks(machine, (Direction::Inverse, ring), values);
        let mut blocks = values.len() / RADIX;
        for levels in levels(values.len()).into_iter().rev() {
            blocks >>= levels;
            self.strided(
                machine,
                (Direction::Inverse, ring),
                (blocks, levels),
                values,
            );
        }
    }

    fn table(&self, direction: Direction) -> &[Fr] {
        match direction {
            Direction::Forward => &self.forward,
            Direction::Inverse => &self.inverse,
        }
    }

    /// So many levels from so many blocks on.
    fn strided<B: Butterflies>(
        &self,
        machine: B,
        (direction, ring): (Direction, Ring),
        (blocks, levels): (usize, u32),
        values: &mut [Fr],
    ) {
        let rows = 1 << levels;
        let len = values.len() / blocks;
        let piece = (len / rows).min(TASK / rows);
        let table = self.table(direction);
        let all = values.par_chunks_mut(len).enumerate();
        let all = all.with_min_len((TASK / len).max(1));
        let pieces = all.flat_map(|(block, values)| {
            let pieces = pieces(values, rows, piece).into_par_iter();
            pieces.map(move |rows| (block, rows))
        });
        pieces.for_each(|(block, mut rows)| {
            machine.run(Strided {
                direction,
                rows: &mut rows,
                table,
                place: ring.place(blocks, block),
            });
        });
    }

    /// The levels of blocks of sixteen.
    fn blocks<B: Butterflies>(
        &self,
        machine: B,
        (direction, ring): (Direction, Ring),
        values: &mut [Fr],
    ) {
        let blocks = values.len() / RADIX;
        let table = self.table(direction);
        let all = values.par_chunks_mut(RADIX * B::LANES).enumerate();
        all.with_min_len(TASK / (RADIX * B::LANES))
            .for_each(|(some, values)| {
                machine.run(Blocks {
                    direction,
                    values,
                    table,
                    place: ring.place(blocks, some * B::LANES),
                });
            });
    }
}

impl Ring {
    /// Where a block of so many has its root.
    fn place(self, blocks: usize, block: usize) -> usize {
        match self {
            Self::Domain => block,
            Self::Coset => blocks + block,
        }
    }
}

/// The levels of each pass but the one over blocks of sixteen.
fn levels(n: usize) -> Vec<u32> {
    let most = RADIX.ilog2();
    let levels = n.ilog2() - most;
    let first = Some(levels % most).filter(|first| *first > 0);
    let rest = (0..levels / most).map(|_| most);
    first.into_iter().chain(rest).collect()
}

/// Rows of a block, cut into pieces; a piece has its part of each row.
fn pieces(block: &mut [Fr], rows: usize, piece: usize) -> Vec<Vec<&mut [Fr]>> {
    let row = block.len() / rows;
    let mut rows: Vec<_> = block
        .chunks_mut(row)
        .map(|row| row.chunks_mut(piece))
        .collect();
    let next = |_| rows.iter_mut().filter_map(Iterator::next).collect();
    (0..row / piece).map(next).collect()
}

/// `root`^(reversed bits of k) for k below n, each times `scale`.
fn powers(root: Fr, n: usize, scale: u64) -> Vec<Fr> {
    let mut powers = Vec::with_capacity(n);
    powers.push(Fr::from(scale));
    while powers.len() < n {
        let step = root.pow([(n / 2 / powers.len()) as u64]);
        let next = powers
            .par_iter()
            .with_min_len(TASK)
            .map(|power| *power * step);
        let next: Vec<Fr> = next.collect();
        powers.extend(next);
    }
    powers
}

#[cfg(test)]
mod tests {
    use ark_ff::{One, UniformRand, Zero};

    use super::*;
    use crate::{narrow::Portable, wide::Emulated};

    fn at(polynomial: &[Fr], x: Fr) -> Fr {
        let horner = |sum: Fr, coefficient: &Fr| sum * x + coefficient;
        polynomial.iter().rev().fold(Fr::zero(), horner)
    }

    /// The coefficients with these values on the domain, by its definition.
    fn interpolate(values: &[Fr]) -> Vec<Fr> {
        let n = values.len() as u64;
        let root = Fr::get_root_of_unity(n).unwrap().inverse().unwrap();
        let inverse = Fr::from(n).inverse().unwrap();
        (0..n)
            .map(|i| at(values, root.pow([i])) * inverse)
            .collect()
    }

    fn check<B: Butterflies>(machine: B, n: usize) {
        let rng = &mut ark_std::test_rng();
        let a: Vec<Fr> = (0..n).map(|_| Fr::rand(rng)).collect();
        let mut b: Vec<Fr> = (0..n).map(|_| Fr::rand(rng)).collect();
        b[n - 3..].fill(Fr::zero());
        b[0] = -Fr::one();
        let h = quotient(machine, a.clone(), b.clone()).unwrap();
        assert_eq!((h.len(), h[n - 1]), (n, Fr::zero()));
        let c: Vec<Fr> = a.iter().zip(&b).map(|(a, b)| *a * b).collect();
        let x = Fr::rand(rng);
        let [a, b, c] = [a, b, c].map(|values| at(&interpolate(&values), x));
        let vanishing = x.pow([n as u64]) - Fr::one();
        assert_eq!(at(&h, x) * vanishing, a * b - c, "{n}");
    }

    #[test]
    fn the_quotient_times_the_divisor_is_the_product() {
        for log in 8..13 {
            #[cfg(target_arch = "x86_64")]
            match crate::wide::Ifma::detect() {
                Some(ifma) => check(ifma, 1 << log),
                None => println!("skipped: this processor has no AVX-512 IFMA"),
            }
        }
        for log in 4..13 {
            check(Portable, 1 << log);
        }
        check(Emulated, 256);
        check(Emulated, 512);
    }

    #[test]
    fn other_sizes_are_refused() {
        let ones = |n| vec![Fr::one(); n];
        assert!(quotient(Emulated, ones(128), ones(128)).is_none());
        assert!(quotient(Emulated, ones(300), ones(300)).is_none());
        assert!(quotient(Emulated, ones(512), ones(256)).is_none());
        assert!(quotient(Portable, ones(8), ones(8)).is_none());
    }
}
