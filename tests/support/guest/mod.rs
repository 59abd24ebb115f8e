//! A guest with a kernel that has IPVS, in QEMU: booted once, asked over a serial line, ended with this program.
//!
//! The program that boots it is also what runs in it. On this machine it fetches a kernel (`kernel`), packs itself with what
//! it needs into an initramfs (`image`), boots that and asks; in the guest it is the first process and what answers (`inside`).

pub mod image;
pub mod inside;
pub mod kernel;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::fcntl::{Flock, FlockArg};

use image::{Contents, PROGRAM, initramfs};
use inside::{Answer, MARK, READY};
use kernel::kernel;

/// An emulated boot takes some 6 s here; another machine may be busy.
const BOOT: Duration = Duration::from_secs(180);
/// A boot on the machine's own processor takes 2 s. Where that does not work, some versions of it just stand still.
const BOOT_KVM: Duration = Duration::from_secs(20);

/// What guests of several programs have each of their own.
pub struct Shape {
    /// How many lines of its console are shown when something goes wrong.
    pub tail: usize,
    /// Its memory, in MiB.
    pub memory: u32,
    /// What it has besides what every guest has.
    pub contents: fn() -> Result<Contents>,
    /// What else is put into its file system.
    pub fill: Fill,
}

/// What is put into the guest's file system beyond what `image` puts there: gets the folder where it may keep what it has
/// fetched, and the root of the file system.
pub type Fill = fn(&Path, &Path) -> Result<()>;

/// What the guest's clock goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// Time.
    Time,
    /// Instructions, a nanosecond each, and time while it has nothing to do: what else runs on this machine is not in it.
    /// Always emulated, by one thread.
    Instructions,
}

/// A guest that is booted when it is asked first.
pub struct Later {
    shape: Shape,
    /// None before that; or why there is none.
    guest: Mutex<Option<Result<Guest, String>>>,
}

impl Later {
    /// One of this shape, by time.
    pub const fn new(shape: Shape) -> Self {
        Self { shape, guest: Mutex::new(None) }
    }

    /// See [`Guest::ask`].
    pub fn ask(&'static self, question: &str, limit: Duration) -> Result<String, String> {
        let mut place = self.guest.lock().unwrap();
        let boot = || Guest::boot(&self.shape, Clock::Time).map_err(|error| format!("no guest: {error:#}"));
        let guest = place.get_or_insert_with(boot).as_mut();
        let guest = guest.map_err(|error| std::mem::replace(error, "no guest: the first trial says why".to_owned()))?;
        guest.ask(question, limit)
    }

    /// Ends it, if it runs.
    pub fn end(&self) {
        *self.guest.lock().unwrap() = None;
    }
}

/// A running guest. It ends with this value.
pub struct Guest {
    qemu: Qemu,
    /// Nobody else uses the folder meanwhile.
    _lock: Flock<fs::File>,
}

impl Guest {
    /// Boots one.
    pub fn boot(shape: &'static Shape, clock: Clock) -> Result<Self> {
        let started = Instant::now();
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ipvs");
        fs::create_dir_all(&cache).with_context(|| format!("create {}", cache.display()))?;
        let lock = fs::File::create(cache.join("lock"))?;
        let lock = Flock::lock(lock, FlockArg::LockExclusive).map_err(|(_, errno)| errno).context("lock the cache")?;
        let kernel = kernel(&cache)?;
        let folder = cache.join("guest");
        let _ = fs::remove_dir_all(&folder);
        let initramfs = initramfs(&folder, &kernel, &(shape.contents)()?, |root| (shape.fill)(&cache, root))
            .context("make the guest's file system")?;
        let prepared = started.elapsed();

        const EMULATED: (&[&str], Duration) = (&["-accel", "tcg,thread=multi", "-smp", "2"], BOOT);
        const COUNTED: (&[&str], Duration) =
            (&["-accel", "tcg,thread=single", "-smp", "1", "-icount", "shift=0"], BOOT);
        const KVM: (&[&str], Duration) = (&["-accel", "kvm", "-smp", "2"], BOOT_KVM);
        let has_kvm = fs::File::options().read(true).write(true).open("/dev/kvm").is_ok();
        let machines = match (clock, has_kvm) {
            (Clock::Instructions, _) => &[COUNTED][..],
            (Clock::Time, true) => &[KVM, EMULATED],
            (Clock::Time, false) => &[EMULATED],
        };
        let mut trouble = String::new();
        for (machine, limit) in machines {
            let booting = Instant::now();
            let mut qemu = Qemu::start(machine, shape, &kernel.image, &initramfs, &folder.join("console"))?;
            match qemu.line(*limit) {
                Ok(line) if line == READY => {
                    let (prepared, took) = (prepared.as_secs_f32(), booting.elapsed().as_secs_f32());
                    eprintln!(
                        "ipvs: {} by {}: prepared in {prepared:.1} s, up after {took:.1} s",
                        kernel.release, machine[1]
                    );
                    return Ok(Self { qemu, _lock: lock });
                }
                Ok(line) => trouble = format!("its first word is {line:?}{}", qemu.said()),
                Err(error) => trouble = format!("{error}{}", qemu.said()),
            }
        }
        bail!("it does not come up: {trouble}")
    }

    /// Asks; the answer has to come within `limit`. What went wrong there comes with the end of its console.
    ///
    /// # Errors
    /// What went wrong, there or on the way.
    pub fn ask(&mut self, question: &str, limit: Duration) -> Result<String, String> {
        let answer = self.qemu.ask(question, limit).map_err(|error| format!("{error:#}{}", self.qemu.said()))?;
        eprintln!("ipvs: {question}: {:.1} s", answer.seconds);
        match answer.trouble {
            None => Ok(answer.said),
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
    /// Lines of it that are shown.
    tail: usize,
}

impl Qemu {
    fn start(machine: &[&str], shape: &'static Shape, kernel: &Path, initramfs: &Path, console: &Path) -> Result<Self> {
        // The second serial line is for questions alone: no message of the kernel gets there.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM", "qemu-system-x86_64"]).args(machine);
        command.args(["-cpu", "max", "-M", "q35", "-nodefaults", "-display", "none"]);
        command.args(["-m", &shape.memory.to_string()]);
        command.args(["-no-reboot", "-serial", &format!("file:{}", console.display()), "-serial", "stdio"]);
        command.arg("-kernel").arg(kernel).arg("-initrd").arg(initramfs);
        command.args(["-append", &format!("console=ttyS0 quiet panic=-1 mitigations=off rdinit={PROGRAM} -- {MARK}")]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let errors = fs::File::create(console.with_extension("qemu"))?;
        let mut child = command.stderr(errors).spawn().context("start setpriv: run tests/support/install first")?;
        let (input, output) = (child.stdin.take().context("no pipe")?, child.stdout.take().context("no pipe")?);
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            let mut lines = BufReader::new(output).split(b'\n').map_while(Result::ok);
            lines.try_for_each(|line| sender.send(String::from_utf8_lossy(&line).trim_end().to_owned()))
        });
        Ok(Self { child, input, lines, console: console.to_owned(), tail: shape.tail })
    }

    /// The next line that answers.
    fn line(&mut self, limit: Duration) -> Result<String> {
        self.lines.recv_timeout(limit).map_err(|error| match error {
            RecvTimeoutError::Timeout => anyhow::anyhow!("the guest says nothing for {} s", limit.as_secs()),
            RecvTimeoutError::Disconnected => anyhow::anyhow!("the guest has ended"),
        })
    }

    fn ask(&mut self, question: &str, limit: Duration) -> Result<Answer> {
        writeln!(self.input, "{question}").and_then(|()| self.input.flush()).context("speak to the guest")?;
        loop {
            let line = self.line(limit)?;
            let answer: Answer = serde_json::from_str(&line).with_context(|| format!("the guest says {line:?}"))?;
            // Not one that came too late.
            if answer.question == question {
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
            for line in &lines[lines.len().saturating_sub(self.tail)..] {
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
