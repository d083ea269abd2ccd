//! Selection of one of eight fixed points by three bits.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use ark_grumpkin::{Affine, Projective};

use super::GrumpkinPoint;
use crate::pedersen::subset_sums;
use crate::r1cs::{Bit, Builder, Num};

/// Bits of a full window.
pub(super) const WINDOW: usize = 3;

fn mask(bits: &[Bit]) -> usize {
    bits.iter()
        .enumerate()
        .map(|(k, bit)| usize::from(bit.is_set()) << k)
        .sum()
}

/// A window after the first: `±R₀ ± R₁ ± R₂`, with the signs of one to three bits.
pub(super) struct SignedWindow {
    points: Vec<Affine>,
    form: WindowForm,
}

/// The point's coordinates as polynomials in the signs.
enum WindowForm {
    /// `x` is fixed, `y = c·s₀`.
    One { x: Fr, y: Fr },
    /// `x = x₀ + d·s₀s₁`, `y = c₀s₀ + c₁s₁`.
    Two { x: [Fr; 2], y: [Fr; 2] },
    /// With `P = (s₀ + κs₁)(βs₁ + γs₂)`: `x = P + x₀`; with `Z = s₂·x`:
    /// `y = z·Z + c₀s₀ + c₁s₁ + c₂s₂`.
    Three {
        kappa: Fr,
        beta: Fr,
        gamma: Fr,
        x: Fr,
        z: Fr,
        y: [Fr; 3],
    },
}

impl SignedWindow {
    pub(super) fn new(halves: &[Projective]) -> Self {
        // The sum of 2R over the set bits, minus ΣR, is the signed sum.
        let doubles: Vec<Projective> = halves.iter().map(AdditiveGroup::double).collect();
        let base = halves.iter().fold(Projective::ZERO, |sum, half| sum - half);
        let points = subset_sums(base, &doubles);
        let form = WindowForm::new(&points, halves.len());
        Self { points, form }
    }

    pub(super) fn point(&self, bits: &[Bit]) -> Affine {
        self.points[mask(bits)]
    }

    pub(super) fn look_up(&self, b: &mut Builder, bits: &[Bit]) -> GrumpkinPoint {
        let sign = |k: usize| bits[k].num().scale(Fr::from(2u64)).plus(-Fr::ONE);
        match &self.form {
            WindowForm::One { x, y } => (Num::constant(*x), sign(0).scale(*y)),
            WindowForm::Two { x, y } => {
                let product = b.mul(&sign(0), &sign(1));
                let x = product.scale(x[1]).plus(x[0]);
                (x, Num::weighted_sum([(y[0], &sign(0)), (y[1], &sign(1))]))
            }
            WindowForm::Three {
                kappa,
                beta,
                gamma,
                x,
                z,
                y,
            } => {
                let signs = [sign(0), sign(1), sign(2)];
                let left = &signs[0] + &signs[1].scale(*kappa);
                let right = &signs[1].scale(*beta) + &signs[2].scale(*gamma);
                let x = b.mul(&left, &right).plus(*x);
                let product = b.mul(&signs[2], &x);
                let linear = y.iter().copied().zip(&signs);
                (x, Num::weighted_sum(linear.chain([(*z, &product)])))
            }
        }
    }
}

impl WindowForm {
    fn new(points: &[Affine], bits: usize) -> Self {
        let x = |signs: usize| walsh(points, signs, |p| p.x);
        let y = |signs: usize| walsh(points, signs, |p| p.y);
        match bits {
            1 => Self::One { x: x(0), y: y(1) },
            2 => Self::Two {
                x: [x(0), x(3)],
                y: [y(1), y(2)],
            },
            _ => {
                let [base, beta, gamma, delta] = [x(0), x(3), x(5), x(6)];
                let inverse = |k: Fr| {
                    k.inverse()
                        .expect("generic points have no zero coefficient")
                };
                let kappa = delta * inverse(gamma);
                let z = y(7) * inverse(beta);
                Self::Three {
                    kappa,
                    beta,
                    gamma,
                    x: base - kappa * beta,
                    z,
                    y: [y(1) - z * gamma, y(2) - z * delta, y(4) - z * base],
                }
            }
        }
    }
}

/// Returns the coefficient of a product of signs in a function given by its values.
fn walsh(points: &[Affine], signs: usize, coordinate: impl Fn(&Affine) -> Fr) -> Fr {
    let mut sum = Fr::ZERO;
    for (mask, point) in points.iter().enumerate() {
        // Each clear bit of the product gives a factor −1.
        if (signs & !mask).count_ones() % 2 == 1 {
            sum -= coordinate(point);
        } else {
            sum += coordinate(point);
        }
    }
    let count = Fr::from(points.len() as u64);
    sum * count.inverse().expect("a power of two is not zero")
}

/// The first window: a base point plus any subset of three points. Takes three rows.
pub(super) struct FirstWindow {
    points: Vec<Affine>,
}

impl FirstWindow {
    pub(super) fn new(base: Projective, bits: &[Projective]) -> Self {
        assert_eq!(
            bits.len(),
            WINDOW,
            "the first input has at least three bits"
        );
        Self {
            points: subset_sums(base, bits),
        }
    }

    pub(super) fn point(&self, bits: &[Bit]) -> Affine {
        self.points[mask(bits)]
    }

    pub(super) fn look_up(&self, b: &mut Builder, bits: &[Bit]) -> GrumpkinPoint {
        let both = b.mul(bits[0].num(), bits[1].num());
        let mut coordinate = |of: fn(&Affine) -> Fr| {
            let bilinear = |points: &[Affine]| {
                let f: Vec<Fr> = points.iter().map(of).collect();
                let parts = [
                    (f[1] - f[0], bits[0].num()),
                    (f[2] - f[0], bits[1].num()),
                    (f[3] - f[2] - f[1] + f[0], &both),
                ];
                Num::weighted_sum(parts).plus(f[0])
            };
            let (low, high) = (bilinear(&self.points[..4]), bilinear(&self.points[4..]));
            &low + &b.mul(bits[2].num(), &(&high - &low))
        };
        (coordinate(|p| p.x), coordinate(|p| p.y))
    }
}
