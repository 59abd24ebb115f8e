//! Who may read secrets.

use super::{Found, Subject};
use std::os::unix::fs::PermissionsExt;

/// The permissions of everybody but the owner.
const OTHERS: u32 = 0o077;

pub(super) fn readable(subject: &Subject) -> Vec<Found> {
    let mut found = Vec::new();
    for path in &subject.secrets {
        let Ok(about) = std::fs::metadata(path) else { continue };
        let mode = about.permissions().mode() & 0o777;
        if about.is_file() && mode & OTHERS != 0 {
            let name = path.display().to_string();
            let text = format!("holds a secret and may be read by others than its owner (mode {mode:o})");
            found.push(Found::error(
                name.clone(),
                text,
                format!("chmod 600 {name}; then change the password: it was open"),
            ));
        }
    }
    found
}
