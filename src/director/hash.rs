//! A hash for keys that are short and written by the administrator: nobody chooses them so that they collide.

use std::hash::Hasher;

/// Eight bytes at a time, and the same in every run, unlike the standard library's hash: for files that outlive a process.
/// Keys are of 64 bits, and of 10,000 of them two are the same once in hundreds of billions of configurations.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Short(u64);

/// Odd, and half of its bits are set: each bit of a word changes about half of those above it (the golden ratio in 64 bits).
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

impl Hasher for Short {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let word = part.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
            self.write_u64(word);
        }
    }

    fn write_u8(&mut self, number: u8) {
        self.write_u64(number.into());
    }

    fn write_u16(&mut self, number: u16) {
        self.write_u64(number.into());
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(number.into());
    }

    fn write_u64(&mut self, number: u64) {
        // The high half of a product depends on all bits of the word, the low half does not: both are kept.
        let product = u128::from(self.0.rotate_left(23) ^ number ^ FACTOR) * u128::from(FACTOR);
        self.0 = (product >> 64) as u64 ^ product as u64;
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_isize(&mut self, number: isize) {
        self.write_u64(number as u64);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::Hash;
    use std::net::SocketAddr;

    use super::*;

    fn hash(value: impl Hash) -> u64 {
        let mut hasher = Short::default();
        value.hash(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn keys_that_are_alike_differ() {
        let mut all = HashSet::new();
        for (a, b) in (0..=255u8).flat_map(|a| (0..=255).map(move |b| (a, b))) {
            for port in [0, 80, 443] {
                assert!(all.insert(hash((SocketAddr::from(([10, a, b, 1], port)), "/"))), "10.{a}.{b}.1:{port}");
                assert!(all.insert(hash((SocketAddr::from(([10, 0, a, b], port)), "/index.html"))));
            }
        }
        assert_ne!(hash("ab"), hash("a"));
        assert_ne!(hash(("a", "b")), hash(("ab", "")));
        assert_eq!(hash((1u8, "text", true)), hash((1u8, "text", true)));
    }
}
