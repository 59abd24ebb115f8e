//! A shared folder that hangs on one node: a FUSE mount over it that nobody serves. Whoever asks it waits as for a server of NFS that
//! is gone, until he is killed.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Result, ensure};

use crate::site::Node;

/// Mounts it, and takes it away at the end of its input.
const PROGRAM: &str = r#"
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
handle = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={handle},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
if libc.mount(b"hangs", b"/mnt/nfs", b"fuse", 0, options):
    raise SystemExit("mount: " + os.strerror(ctypes.get_errno()))
print("hangs", flush=True)
sys.stdin.read()
DETACH = 2
libc.umount2(b"/mnt/nfs", DETACH)
"#;

/// The folder hangs for as long as this lives.
pub struct Hanging(Child);

impl Hanging {
    /// From now on.
    pub fn begin(node: &Node) -> Result<Self> {
        let prefix = node.prefix();
        let mut command = Command::new(&prefix[0]);
        command.args(&prefix[1..]).args(["python3", "-c", PROGRAM]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut hanging = Self(command.spawn()?);
        let mut line = String::new();
        if let Some(output) = hanging.0.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        ensure!(line == "hangs\n", "nothing hangs: {line}");
        Ok(hanging)
    }
}

impl Drop for Hanging {
    fn drop(&mut self) {
        // With the last handle of the device closed, everybody who waits is told that it is gone.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}
