//! The full check of a key, including everything that loading a key does not check.

use ark_bn254::{g1, g2};
use zkwhirl_circuits::{Circuit, r1cs::Matrices};
use zkwhirl_keystore::{KeyError, KeyFile};

use super::{Consistency, consistent};
use crate::native::keys::{NativeKey, identity, matrices_to_bytes, read_points};

/// Checks an open key and returns its circuit: the key's matrices equal those of
/// the circuit in this release; the points are in their groups and belong together.
/// `step` is called with the name of each step.
///
/// This does not show that the points belong to the matrices: make a proof with the
/// key to show that.
pub fn audit(file: &KeyFile, step: &dyn Fn(&'static str)) -> Result<Circuit, KeyError> {
    step("circuit");
    let name = &file.circuit().name;
    let circuit: Circuit = name.parse().map_err(|_| {
        KeyError::Refused(format!(
            "key {} is for {name}, a circuit that this release does not have",
            file.path().display()
        ))
    })?;
    audit_for(file, &circuit, &circuit.matrices(), step)?;
    Ok(circuit)
}

fn audit_for(
    file: &KeyFile,
    circuit: &Circuit,
    matrices: &Matrices,
    step: &dyn Fn(&'static str),
) -> Result<(), KeyError> {
    identity(circuit, matrices).check(file.path(), file.circuit())?;
    let damaged = |problem: String| KeyError::damaged(file.path(), problem);
    if *file.section("matrices")? != matrices_to_bytes(matrices) {
        return Err(damaged(
            "its matrices differ from those of its circuit".to_owned(),
        ));
    }
    step("points");
    for section in ["g1", "a", "b1", "h", "l", "g2", "b2"] {
        let bytes = file.section(section)?;
        let read = match section {
            "g2" | "b2" => read_points::<g2::Config>(&bytes).map(drop),
            _ => read_points::<g1::Config>(&bytes).map(drop),
        };
        read.map_err(|problem| damaged(format!("its section {section} {problem}")))?;
    }
    step("relations");
    let NativeKey { queries, vk, .. } = &NativeKey::load(file)?;
    let key = Consistency {
        vk,
        beta_g1: queries.beta_g1,
        delta_g1: queries.delta_g1,
        a: &queries.a,
        b_g1: &queries.b_g1,
        b_g2: &queries.b_g2,
        h: &queries.h,
        l: &queries.l,
    };
    consistent(&key, matrices).map_err(|problem| damaged(problem.to_string()))
}
