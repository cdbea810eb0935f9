//! 64-bit FNV-1a (Fowler, Noll, Vo): buckets and dimensions that are the same on every machine.
//!
//! What was computed with it stands in models and indexes, so it never changes. No hash for secrets: anyone can turn it
//! around.

/// The state before the first byte.
pub const START: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// The state after one more byte.
#[must_use]
pub const fn step(state: u64, byte: u8) -> u64 {
    (state ^ byte as u64).wrapping_mul(PRIME)
}

/// Of all bytes.
#[must_use]
pub fn of(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(START, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_values_come_out() {
        assert_eq!(of([]), 0xcbf2_9ce4_8422_2325);
        assert_eq!(of(*b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(of(*b"foobar"), 0x8594_4171_f739_67e8);
    }
}
