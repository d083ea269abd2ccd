// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity >=0.8.4 <0.9.0;

/// Verifies Groth16 proofs on BN254 with one public input.
///
/// circuit     @CIRCUIT@
/// key         @KEY@
/// vk          @VK@ (BLAKE3 of the compressed key)
/// setup       @PROVENANCE@
///
/// A proof holds if e(A, B) = e(alpha, beta) * e(FIXED + input * INPUT, gamma) * e(C, delta).
contract Verifier {
    /// Coordinates are below P, the public input is below R: each proof and
    /// each statement has one encoding.
    uint256 private constant P = @P@;
    uint256 private constant R = @R@;

    uint256 private constant ALPHA_X = @ALPHA_X@;
    uint256 private constant ALPHA_Y = @ALPHA_Y@;
    uint256 private constant FIXED_X = @FIXED_X@;
    uint256 private constant FIXED_Y = @FIXED_Y@;
    uint256 private constant INPUT_X = @INPUT_X@;
    uint256 private constant INPUT_Y = @INPUT_Y@;

    // Points of G2, imaginary parts first, as the precompiles want them.
    uint256 private constant BETA_X1 = @BETA_X1@;
    uint256 private constant BETA_X0 = @BETA_X0@;
    uint256 private constant BETA_Y1 = @BETA_Y1@;
    uint256 private constant BETA_Y0 = @BETA_Y0@;
    uint256 private constant GAMMA_X1 = @GAMMA_X1@;
    uint256 private constant GAMMA_X0 = @GAMMA_X0@;
    uint256 private constant GAMMA_Y1 = @GAMMA_Y1@;
    uint256 private constant GAMMA_Y0 = @GAMMA_Y0@;
    uint256 private constant DELTA_X1 = @DELTA_X1@;
    uint256 private constant DELTA_X0 = @DELTA_X0@;
    uint256 private constant DELTA_Y1 = @DELTA_Y1@;
    uint256 private constant DELTA_Y0 = @DELTA_Y0@;

    /// @param proof A.x, A.y, B.x (imaginary, real), B.y (imaginary, real), C.x, C.y
    /// @param input the statement's digest, as the proof's public input
    /// @return whether the proof holds; false for malformed numbers and points
    function verify(uint256[8] calldata proof, uint256 input) external view returns (bool) {
        if (input >= R) return false;
        for (uint256 i = 0; i < 8; i++) {
            if (proof[i] >= P) return false;
        }
        // FIXED + input * INPUT
        uint256[4] memory sum;
        (sum[0], sum[1]) = (FIXED_X, FIXED_Y);
        bool done;
        (done, sum[2], sum[3]) = multiply(INPUT_X, INPUT_Y, input);
        if (!done || !add(sum)) return false;

        uint256[24] memory pairs;
        // -A, B
        (pairs[0], pairs[1]) = (proof[0], (P - proof[1]) % P);
        (pairs[2], pairs[3], pairs[4], pairs[5]) = (proof[2], proof[3], proof[4], proof[5]);
        (pairs[6], pairs[7]) = (ALPHA_X, ALPHA_Y);
        (pairs[8], pairs[9], pairs[10], pairs[11]) = (BETA_X1, BETA_X0, BETA_Y1, BETA_Y0);
        (pairs[12], pairs[13]) = (sum[0], sum[1]);
        (pairs[14], pairs[15], pairs[16], pairs[17]) = (GAMMA_X1, GAMMA_X0, GAMMA_Y1, GAMMA_Y0);
        (pairs[18], pairs[19]) = (proof[6], proof[7]);
        (pairs[20], pairs[21], pairs[22], pairs[23]) = (DELTA_X1, DELTA_X0, DELTA_Y1, DELTA_Y0);
        return pairing(pairs);
    }

    /// Precompile 7 (EIP-196): a point times a scalar.
    function multiply(uint256 x, uint256 y, uint256 scalar)
        private
        view
        returns (bool done, uint256, uint256)
    {
        uint256[3] memory buffer = [x, y, scalar];
        assembly ("memory-safe") {
            done := staticcall(gas(), 7, buffer, 96, buffer, 64)
        }
        return (done, buffer[0], buffer[1]);
    }

    /// Precompile 6 (EIP-196): the sum of two points, in the place of the first.
    function add(uint256[4] memory points) private view returns (bool done) {
        assembly ("memory-safe") {
            done := staticcall(gas(), 6, points, 128, points, 64)
        }
    }

    /// Precompile 8 (EIP-197): whether the product of four pairings is one. The
    /// call fails if a point is not on its curve or not in its subgroup.
    function pairing(uint256[24] memory pairs) private view returns (bool) {
        bool done;
        assembly ("memory-safe") {
            done := staticcall(gas(), 8, pairs, 768, pairs, 32)
        }
        return done && pairs[0] == 1;
    }
}
