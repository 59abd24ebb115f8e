//! The libraries that only speak async, asked from code that waits.

use std::future::Future;
use std::io;

use tokio::runtime::Builder;
use tokio::time::timeout;

use crate::contained;
use crate::ocf::deadline::Deadline;

/// Drives `question` to its end; `None` at the deadline.
///
/// # Errors
/// `InvalidData` when the library panicked, as mysql_common 0.37 does over a damaged greeting where integer overflow is
/// checked; else what making the runtime said.
pub fn block<T>(question: impl Future<Output = T>, deadline: &Deadline) -> io::Result<Option<T>> {
    // The library gives even a question without any time left its first try.
    if deadline.passed() {
        return Ok(None);
    }
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let answer = contained::run(|| runtime.block_on(async { timeout(deadline.left(), question).await }).ok());
    // A plain drop would wait for the thread that resolves a name, and the C library tries for half a minute.
    runtime.shutdown_background();
    answer.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "an answer that no server gives"))
}
