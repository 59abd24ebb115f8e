//! Whether something keeps the kernel's clock right (adjtimex(2)): whatever program does it, it tells the kernel.

use std::io;
use std::mem::MaybeUninit;

use nix::libc;

/// The flag of a clock that nothing has set right lately.
const UNSYNCHRONISED: i32 = 0x40;

/// Whether the clock is synchronised, as the kernel sees it. No child process, no service manager.
///
/// # Errors
/// What the kernel says.
#[allow(unsafe_code, reason = "no crate of this package has the call")]
pub fn is_synchronised() -> io::Result<bool> {
    let mut state = MaybeUninit::<libc::timex>::zeroed();
    // SAFETY: the structure is one of numbers only, for which zero is a value; with modes = 0 the kernel only writes to it.
    let result = unsafe { libc::adjtimex(state.as_mut_ptr()) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was zeroed as a whole before the kernel wrote to it.
    let state = unsafe { state.assume_init() };
    Ok(state.status & UNSYNCHRONISED == 0)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_kernel_answers() {
        assert!(super::is_synchronised().is_ok());
    }
}
