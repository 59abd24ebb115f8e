//! Which resource an action is for.

/// The name of a resource instance, without a clone suffix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance(String);

/// Longest name that [`Instance::file_name`] passes unchanged: with a prefix it still has to fit into the names of tables
/// and chains, and into listings people read.
const NAME_MAX: usize = 44;

impl Instance {
    /// The instance Pacemaker calls `name`: `vip:2` is an instance of the clone of `vip`, and lives in the same state.
    pub fn new(name: &str) -> Self {
        let base = match name.rsplit_once(':') {
            Some((base, number))
                if !base.is_empty() && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) =>
            {
                base
            }
            _ => name,
        };
        Self(if base.is_empty() { "default" } else { base }.to_owned())
    }

    /// The name as the cluster knows it.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// The name as part of a file name or nftables identifier: resource ids pass unchanged, anything else is escaped as
    /// `.xHH`, and what is too long ends in a hash.
    pub fn file_name(&self) -> String {
        let mut safe = String::new();
        for byte in self.0.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => safe.push(char::from(byte)),
                // A leading dot would hide a file or name its parent folder.
                b'.' if !safe.is_empty() => safe.push('.'),
                _ => safe.push_str(&format!(".x{byte:02X}")),
            }
        }
        if safe.len() > NAME_MAX {
            safe.truncate(NAME_MAX - 9);
            safe.push_str(&format!("-{:08x}", checksum(&self.0)));
        }
        safe
    }
}

/// A short checksum for identifiers with few bytes (32 bit FNV-1a): the same on every host and in every version, unlike the
/// standard library's hash.
pub fn checksum(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_and_names_stay_apart() {
        assert_eq!(Instance::new("vip:2"), Instance::new("vip"));
        assert_eq!(Instance::new("a:b").name(), "a:b");
        assert_eq!(Instance::new("").name(), "default");
        assert_eq!(Instance::new("vip_src-1.a").file_name(), "vip_src-1.a");
        assert_eq!(Instance::new("../x y").file_name(), ".x2E..x2Fx.x20y");
        let long = |end: &str| Instance::new(&format!("{}{end}", "n".repeat(300))).file_name();
        assert!(long("a").len() <= 44 && long("a") != long("b"));
    }
}
