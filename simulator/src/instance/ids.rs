//! `sys_id`s.

use rand::RngExt;

/// 32 random hex digits.
pub(super) fn new_id() -> String {
    format!("{:032x}", rand::rng().random::<u128>())
}

/// An id that is the same in every instance, as those of out-of-box records are.
pub(super) fn stable_id(name: &str) -> String {
    // FNV-1a, 128 bits: stable over Rust releases, which the standard hasher does not promise.
    let mut hash = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
    for byte in name.bytes() {
        hash ^= u128::from(byte);
        hash = hash.wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
    }
    format!("{hash:032x}")
}
