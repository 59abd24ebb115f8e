//! A file system that can stop answering, as one over the network does: served by a thread of the test over /dev/fuse
//! (the kernel's include/uapi/linux/fuse.h). It has one folder with the repository's marker in it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

const LOOKUP: u32 = 1;
const FORGET: u32 = 2;
const GETATTR: u32 = 3;
const STATFS: u32 = 17;
const INIT: u32 = 26;
const BATCH_FORGET: u32 = 42;
const EIO: i32 = -5;
const ENOENT: i32 = -2;
const ENOSYS: i32 = -38;
const MARKER: &[u8] = b".abiquo_repository\0";

/// A mounted file system; unmounted when dropped, and whoever hangs on it is let go.
pub struct Fuse {
    point: String,
    hangs: Arc<AtomicBool>,
    fails: Arc<AtomicBool>,
    ends: Arc<AtomicBool>,
    server: Option<JoinHandle<()>>,
}

impl Fuse {
    /// Mounts it on `point`, as coming from `source`.
    pub fn mount(point: &str, source: &str) -> Result<Self> {
        let device = File::options().read(true).write(true).open("/dev/fuse").context("open /dev/fuse")?;
        let options = format!("fd={},rootmode=40000,user_id=0,group_id=0,allow_other", device.as_raw_fd());
        mount(Some(source), point, Some("fuse"), MsFlags::empty(), Some(options.as_str())).context("mount fuse")?;
        let [hangs, fails, ends] = [(); 3].map(|()| Arc::new(AtomicBool::new(false)));
        let server = {
            let (hangs, fails, ends) = (Arc::clone(&hangs), Arc::clone(&fails), Arc::clone(&ends));
            std::thread::spawn(move || serve(device, &hangs, &fails, &ends))
        };
        Ok(Self { point: point.to_owned(), hangs, fails, ends, server: Some(server) })
    }

    /// Whether questions stay without an answer. Those that were asked meanwhile are answered afterwards.
    pub fn hang(&self, hangs: bool) {
        self.hangs.store(hangs, Ordering::SeqCst);
    }

    /// Whether questions are answered with an error, as a soft mount over the network does when its server is gone for long.
    pub fn fail(&self, fails: bool) {
        self.fails.store(fails, Ordering::SeqCst);
    }
}

impl Drop for Fuse {
    fn drop(&mut self) {
        let _ = umount2(self.point.as_str(), MntFlags::MNT_DETACH);
        self.ends.store(true, Ordering::SeqCst);
        // Closing the device lets everybody go.
        if let Some(server) = self.server.take() {
            let _ = server.join();
        }
    }
}

fn serve(mut device: File, hangs: &AtomicBool, fails: &AtomicBool, ends: &AtomicBool) {
    let mut buffer = vec![0; 1 << 20];
    let mut waiting: Vec<Vec<u8>> = Vec::new();
    while !ends.load(Ordering::SeqCst) {
        let ready = {
            let mut fds = [PollFd::new(device.as_fd(), PollFlags::POLLIN)];
            let _ = poll(&mut fds, PollTimeout::try_from(Duration::from_millis(20)).unwrap());
            fds[0].revents().is_some_and(|events| !events.is_empty())
        };
        if ready {
            match device.read(&mut buffer) {
                Ok(length) => waiting.push(buffer[..length].to_vec()),
                // Unmounted.
                Err(error) if error.raw_os_error() == Some(nix::libc::ENODEV) => return,
                // A question that was taken back.
                Err(_) => {}
            }
        }
        if !hangs.load(Ordering::SeqCst) {
            for question in waiting.drain(..) {
                if let Some(answer) = answer(&question, fails.load(Ordering::SeqCst)) {
                    let _ = device.write(&answer);
                }
            }
        }
    }
}

fn answer(question: &[u8], fails: bool) -> Option<Vec<u8>> {
    let number = |at: usize| u32::from_ne_bytes(question[at..at + 4].try_into().unwrap());
    let node = u64::from_ne_bytes(question[16..24].try_into().unwrap());
    let body = match number(4) {
        FORGET | BATCH_FORGET => return None,
        INIT => Ok(init()),
        _ if fails => Err(EIO),
        GETATTR => Ok([0u64.to_ne_bytes().as_slice(), &0u64.to_ne_bytes(), &attributes(node)].concat()),
        LOOKUP if &question[40..] == MARKER => {
            let times = [2u64, 0, 0, 0, 0].map(u64::to_ne_bytes).concat();
            Ok([times, attributes(2)].concat())
        }
        LOOKUP => Err(ENOENT),
        STATFS => Ok(statfs()),
        _ => Err(ENOSYS),
    };
    let (error, body) = body.map_or_else(|error| (error, Vec::new()), |body| (0, body));
    let length = u32::try_from(16 + body.len()).unwrap();
    Some([&length.to_ne_bytes(), error.to_ne_bytes().as_slice(), &question[8..16], &body].concat())
}

fn words(all: &[u32]) -> Vec<u8> {
    all.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

/// Version 7.31, no features.
fn init() -> Vec<u8> {
    words(&[7, 31, 0, 0, 0, 4096, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0])
}

/// A folder (1), or an empty file.
fn attributes(node: u64) -> Vec<u8> {
    let mode = if node == 1 { 0o040_755 } else { 0o100_644 };
    let long = [node, 0, 0, 0, 0, 0].map(u64::to_ne_bytes).concat();
    [long, words(&[0, 0, 0, mode, 1, 0, 0, 0, 4096, 0])].concat()
}

fn statfs() -> Vec<u8> {
    let long = [1000u64, 900, 900, 100, 90].map(u64::to_ne_bytes).concat();
    [long, words(&[4096, 255, 4096, 0, 0, 0, 0, 0, 0, 0])].concat()
}
