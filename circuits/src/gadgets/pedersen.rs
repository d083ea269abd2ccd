//! Pedersen hashes as rows (constraints), in windows of three signed bits.
//!
//! Each window adds one of eight fixed points. With signs `s = 2b − 1` and half
//! points, the point is ±(±R₀ ± R₁ ± R₂): x is even and y odd in the signs, so
//! two rows look up both. Three more rows add the point to the running sum.
//!
//! **Invariant:** the incomplete additions are safe, because (1) the start
//! contains the constants of all inputs and all half points, (2) no window has
//! bits of two inputs, (3) windows go from low to high. Then the running sum
//! always has a coefficient on a main generator that the window's point lacks.
//! If the two points were equal or opposite, that would give a discrete
//! logarithm relation between hashed generators, for any choice of bits.

mod shape;
mod window;

use ark_bn254::Fr;
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, batch_inversion};
use ark_grumpkin::{Affine, Projective};

use crate::r1cs::{Bit, Builder, Num};
use shape::{HashShape, WindowStep, shape};
use window::WINDOW;

/// Returns the hash of values given by their bits; missing high bits are zero.
pub(crate) fn compress(b: &mut Builder, index: usize, inputs: &[&[Bit]]) -> Num {
    let lengths: Vec<usize> = inputs.iter().map(|bits| bits.len()).collect();
    let shape = shape(index, &lengths);
    let hints = SumHints::compute(b, &shape, inputs);
    let first = &inputs[0][..WINDOW];
    let mut sum = shape.start.look_up(b, first);
    for (at, step) in shape.steps.iter().enumerate() {
        let bits = step.bits(inputs);
        let point = step.window.look_up(b, bits);
        let slope = hints.slopes.get(at).copied().unwrap_or(Fr::ZERO);
        let after = hints.sums.get(at).copied();
        let last = at + 1 == shape.steps.len();
        sum = add(b, (&sum, &point), (slope, after), last);
    }
    sum.0
}

type GrumpkinPoint = (Num, Num);

/// Returns the sum of two points with different x; slope and sum are given as
/// hints. Takes three rows, or two if only x is needed.
fn add(
    b: &mut Builder,
    points: (&GrumpkinPoint, &GrumpkinPoint),
    hint: (Fr, Option<Affine>),
    last: bool,
) -> GrumpkinPoint {
    let ((x1, y1), (x2, y2)) = points;
    let (hint_x, hint_y) = hint.1.map_or((Fr::ZERO, Fr::ZERO), |p| (p.x, p.y));
    let slope = b.alloc(hint.0);
    b.enforce(&slope, &(x2 - x1), &(y2 - y1));
    let x = b.alloc(hint_x);
    b.enforce(&slope, &slope, &(&(&x + x1) + x2));
    if last {
        return (x, Num::zero());
    }
    let y = b.alloc(hint_y);
    b.enforce(&slope, &(x1 - &x), &(&y + y1));
    (x, y)
}

/// Computes all running sums and slopes, with two batch inversions.
#[derive(Default)]
struct SumHints {
    sums: Vec<Affine>,
    slopes: Vec<Fr>,
}

impl SumHints {
    fn compute(b: &Builder, shape: &HashShape, inputs: &[&[Bit]]) -> Self {
        if !b.has_values() {
            return Self::default();
        }
        let start = shape.start.point(&inputs[0][..WINDOW]);
        let points: Vec<Affine> = shape
            .steps
            .iter()
            .map(|step: &WindowStep| step.window.point(step.bits(inputs)))
            .collect();
        let mut running = Projective::from(start);
        let sums: Vec<Projective> = points
            .iter()
            .map(|point| {
                running += point;
                running
            })
            .collect();
        let sums = Projective::normalize_batch(&sums);
        let before = || std::iter::once(&start).chain(&sums);
        let xy = |point: &Affine| point.xy().unwrap_or((Fr::ZERO, Fr::ZERO));
        let mut slopes: Vec<Fr> = before()
            .zip(&points)
            .map(|(sum, point)| xy(point).0 - xy(sum).0)
            .collect();
        batch_inversion(&mut slopes);
        for ((slope, sum), point) in slopes.iter_mut().zip(before()).zip(&points) {
            *slope *= xy(point).1 - xy(sum).1;
        }
        Self { sums, slopes }
    }
}
