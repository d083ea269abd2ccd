//! Export of a circuit in iden3's `.r1cs` format, which snarkjs reads.

use std::io::{self, Write};

use ark_bn254::Fr;
use zkwhirl_circuits::r1cs::Matrices;

use super::sections::{modulus, write_fr};

/// Writes a circuit to `out`. The order of the wires is: constant, public input,
/// witness.
pub fn write_r1cs(matrices: &Matrices, out: &mut impl Write) -> io::Result<()> {
    let number = |count: usize| u32::try_from(count).map_err(io::Error::other);
    let wires = matrices.num_instance + matrices.num_witness;
    let public = matrices.num_instance - 1;
    let mut header = modulus::<Fr>();
    // Wires, public outputs, public inputs, private inputs; labels; rows.
    for count in [wires, 0, public, 0] {
        header.extend(number(count)?.to_le_bytes());
    }
    header.extend((wires as u64).to_le_bytes());
    header.extend(number(matrices.num_rows)?.to_le_bytes());

    let all = [&matrices.a, &matrices.b, &matrices.c];
    let entries: usize = all.iter().map(|matrix| matrix.entries()).sum();
    out.write_all(b"r1cs")?;
    out.write_all(&[1u32, 3].map(u32::to_le_bytes).concat())?;
    section(out, 1, header.len())?;
    out.write_all(&header)?;
    section(out, 2, matrices.num_rows * 12 + entries * 36)?;
    for row in 0..matrices.num_rows {
        let mut line = Vec::new();
        for matrix in all {
            let at = line.len();
            line.extend([0; 4]);
            let mut count = 0u32;
            for (column, coefficient) in matrices.row(matrix, row) {
                line.extend(column.to_le_bytes());
                write_fr(coefficient, &mut line);
                count += 1;
            }
            line[at..at + 4].copy_from_slice(&count.to_le_bytes());
        }
        out.write_all(&line)?;
    }
    section(out, 3, wires * 8)?;
    for wire in 0..wires as u64 {
        out.write_all(&wire.to_le_bytes())?;
    }
    out.flush()
}

fn section(out: &mut impl Write, number: u32, bytes: usize) -> io::Result<()> {
    out.write_all(&number.to_le_bytes())?;
    out.write_all(&(bytes as u64).to_le_bytes())
}
