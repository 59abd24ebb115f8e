//! The guest, from outside: booted once, asked for trials over a serial line, ended with this program.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::fcntl::{Flock, FlockArg};

use crate::image::{TRIALS, initramfs};
use crate::inside::{Answer, MARK, READY};
use crate::kernel::kernel;

/// An emulated boot takes some 6 s here; another machine may be busy.
const BOOT: Duration = Duration::from_secs(180);
/// A boot on the machine's own processor takes 2 s. Where that does not work, some versions of it just stand still.
const BOOT_KVM: Duration = Duration::from_secs(20);

/// What guests of several test programs have each of their own.
pub struct Shape {
    /// How long a trial may take.
    pub patience: Duration,
    /// How many lines of its console are shown when something goes wrong.
    pub tail: usize,
    /// Its memory, in MiB.
    pub memory: u32,
}

/// The guest once it was asked for, or why there is none.
static GUEST: Mutex<Option<Result<Guest, String>>> = Mutex::new(None);

/// Runs a trial in the guest, which is booted if this is the first.
pub fn run(name: &str) -> Result<(), String> {
    let mut place = GUEST.lock().unwrap();
    let guest = place.get_or_insert_with(|| Guest::boot().map_err(|error| format!("no guest: {error:#}")));
    guest.as_mut().map_err(|error| std::mem::replace(error, "no guest: the first trial says why".to_owned()))?.run(name)
}

/// Ends the guest, if there is one.
pub fn end() {
    *GUEST.lock().unwrap() = None;
}

struct Guest {
    qemu: Qemu,
    /// Nobody else uses the folder meanwhile.
    _lock: Flock<fs::File>,
}

impl Guest {
    fn boot() -> Result<Self> {
        let started = Instant::now();
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ipvs");
        fs::create_dir_all(&cache).with_context(|| format!("create {}", cache.display()))?;
        let lock = fs::File::create(cache.join("lock"))?;
        let lock = Flock::lock(lock, FlockArg::LockExclusive).map_err(|(_, errno)| errno).context("lock the cache")?;
        let kernel = kernel(&cache)?;
        let folder = cache.join("guest");
        let _ = fs::remove_dir_all(&folder);
        let initramfs = initramfs(&folder, &kernel, &crate::contents()?).context("make the guest's file system")?;
        let prepared = started.elapsed();

        let kvm = fs::File::options().read(true).write(true).open("/dev/kvm").is_ok();
        let accelerators: &[_] =
            if kvm { &[("kvm", BOOT_KVM), ("tcg,thread=multi", BOOT)] } else { &[("tcg,thread=multi", BOOT)] };
        let mut trouble = String::new();
        for (accelerator, limit) in accelerators {
            let booting = Instant::now();
            let mut qemu = Qemu::start(accelerator, &kernel.image, &initramfs, &folder.join("console"))?;
            match qemu.line(*limit) {
                Ok(line) if line == READY => {
                    let (prepared, took) = (prepared.as_secs_f32(), booting.elapsed().as_secs_f32());
                    eprintln!(
                        "ipvs: {} by {accelerator}: prepared in {prepared:.1} s, up after {took:.1} s",
                        kernel.release
                    );
                    return Ok(Self { qemu, _lock: lock });
                }
                Ok(line) => trouble = format!("its first word is {line:?}{}", qemu.said()),
                Err(error) => trouble = format!("{error}{}", qemu.said()),
            }
        }
        bail!("it does not come up: {trouble}")
    }

    fn run(&mut self, name: &str) -> Result<(), String> {
        let answer = self.qemu.ask(name).map_err(|error| format!("{error:#}{}", self.qemu.said()))?;
        eprintln!("ipvs: {name}: {:.1} s", answer.seconds);
        match answer.trouble {
            None => Ok(()),
            Some(trouble) => Err(format!("{trouble}{}", self.qemu.said())),
        }
    }
}

/// The machine's process. Ends with this value, and with this program however that ends.
struct Qemu {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
    console: PathBuf,
}

impl Qemu {
    fn start(accelerator: &str, kernel: &Path, initramfs: &Path, console: &Path) -> Result<Self> {
        // The second serial line is the trials' own: no message of the kernel gets there.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM", "qemu-system-x86_64", "-accel", accelerator]);
        command.args([
            "-cpu",
            "max",
            "-M",
            "q35",
            "-m",
            &crate::SHAPE.memory.to_string(),
            "-smp",
            "2",
            "-nodefaults",
            "-display",
            "none",
        ]);
        command.args(["-no-reboot", "-serial", &format!("file:{}", console.display()), "-serial", "stdio"]);
        command.arg("-kernel").arg(kernel).arg("-initrd").arg(initramfs);
        command.args(["-append", &format!("console=ttyS0 quiet panic=-1 mitigations=off rdinit={TRIALS} -- {MARK}")]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let errors = fs::File::create(console.with_extension("qemu"))?;
        let mut child = command.stderr(errors).spawn().context("start setpriv: run tests/support/install first")?;
        let (input, output) = (child.stdin.take().context("no pipe")?, child.stdout.take().context("no pipe")?);
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            let mut lines = BufReader::new(output).split(b'\n').map_while(Result::ok);
            lines.try_for_each(|line| sender.send(String::from_utf8_lossy(&line).trim_end().to_owned()))
        });
        Ok(Self { child, input, lines, console: console.to_owned() })
    }

    /// The next line from the trials' side.
    fn line(&mut self, limit: Duration) -> Result<String> {
        self.lines.recv_timeout(limit).map_err(|error| match error {
            RecvTimeoutError::Timeout => anyhow::anyhow!("the guest says nothing for {} s", limit.as_secs()),
            RecvTimeoutError::Disconnected => anyhow::anyhow!("the guest has ended"),
        })
    }

    fn ask(&mut self, name: &str) -> Result<Answer> {
        writeln!(self.input, "{name}").and_then(|()| self.input.flush()).context("speak to the guest")?;
        loop {
            let line = self.line(crate::SHAPE.patience)?;
            let answer: Answer = serde_json::from_str(&line).with_context(|| format!("the guest says {line:?}"))?;
            // Not that of a trial that took too long.
            if answer.trial == name {
                return Ok(answer);
            }
        }
    }

    /// The end of what QEMU and the guest's console said.
    fn said(&self) -> String {
        let mut text = String::new();
        for file in [self.console.with_extension("qemu"), self.console.clone()] {
            let said =
                fs::read(file).map(|bytes| String::from_utf8_lossy(&bytes).replace('\r', "")).unwrap_or_default();
            let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
            for line in &lines[lines.len().saturating_sub(crate::SHAPE.tail)..] {
                text.push_str(&format!("\n  | {line}"));
            }
        }
        text
    }
}

impl Drop for Qemu {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
