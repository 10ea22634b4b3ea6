//! A terraform command that is running, as a process group of its own that can be interrupted like at a terminal.

use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::eventually;

pub(crate) struct Running {
    command: String,
    child: Child,
    output: Arc<Mutex<Output>>,
    readers: Vec<JoinHandle<()>>,
    ended: Option<ExitStatus>,
}

/// What was printed so far. `both` is in the order of arrival, as a person would see it.
#[derive(Clone, Default)]
pub(super) struct Output {
    pub(super) stdout: String,
    pub(super) stderr: String,
    pub(super) both: String,
}

impl Running {
    pub(super) fn start(description: &str, mut command: Command) -> Self {
        let mut child = command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{description}: {error}"));
        let output = Arc::new(Mutex::new(Output::default()));
        let readers = vec![
            collect(child.stdout.take().unwrap(), &output, Stream::Stdout),
            collect(child.stderr.take().unwrap(), &output, Stream::Stderr),
        ];
        Self {
            command: description.to_owned(),
            child,
            output,
            readers,
            ended: None,
        }
    }

    pub(super) fn command(&self) -> &str {
        &self.command
    }

    /// Waits until a line with `text` in it was printed.
    pub(crate) async fn prints(&self, text: &str) {
        let what = format!("{}: a line with {text:?}", self.command);
        eventually(&what, LONGEST_COMMAND, || {
            self.output.lock().unwrap().both.contains(text)
        })
        .await;
    }

    /// What Ctrl-C does: SIGINT to terraform and to every provider it started.
    pub(crate) fn interrupt(&self) {
        assert!(self.signal("INT"), "terraform {} cannot be interrupted", self.command);
    }

    /// The processes of this command, also after its end.
    pub(crate) fn group(&self) -> Group {
        Group(self.child.id())
    }

    /// Waits for the end. A command that takes longer than [`LONGEST_COMMAND`] is ended and fails the test.
    pub(super) async fn end(mut self) -> (ExitStatus, Output) {
        let deadline = Instant::now() + LONGEST_COMMAND;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > deadline {
                self.signal("KILL");
                let seen = self.output.lock().unwrap().both.clone();
                panic!(
                    "terraform {} did not end within {LONGEST_COMMAND:?}:\n{seen}",
                    self.command
                );
            }
            sleep(Duration::from_millis(5)).await;
        };
        self.ended = Some(status);
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        (status, self.output.lock().unwrap().clone())
    }

    /// Says whether there was a process to receive it.
    fn signal(&self, name: &str) -> bool {
        // The shell has a `kill` everywhere; a call of our own would need unsafe code.
        let script = format!("kill -s {name} -- -{}", self.child.id());
        let status = Command::new("sh").args(["-c", &script]).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    }
}

/// Terraform and the providers that it started: a process group.
#[derive(Clone, Copy)]
pub(crate) struct Group(u32);

impl Group {
    /// SIGKILL to the providers alone.
    pub(crate) fn kill_the_provider(self) {
        let (providers, _) = self.members();
        assert!(!providers.is_empty(), "no provider is running");
        kill(&providers);
    }

    /// SIGKILL to Terraform alone.
    pub(crate) fn kill_terraform(self) {
        let (_, others) = self.members();
        assert!(!others.is_empty(), "no terraform is running");
        kill(&others);
    }

    /// Waits until the providers have ended by themselves.
    pub(crate) async fn is_gone(self) {
        eventually("the end of the provider", LONGEST_COMMAND, || {
            self.members().0.is_empty()
        })
        .await;
    }

    /// The providers, and all others.
    fn members(self) -> (Vec<String>, Vec<String>) {
        let listed = Command::new("ps")
            .args(["-A", "-o", "pid=", "-o", "pgid=", "-o", "stat=", "-o", "args="])
            .output()
            .unwrap();
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        let members = listed.lines().filter_map(|line| {
            let mut words = line.split_whitespace();
            let (pid, group, state) = (words.next()?, words.next()?, words.next()?);
            // A dead process may still wait for its parent to notice.
            let is_member = group == self.0.to_string() && !state.starts_with('Z');
            is_member.then(|| (pid.to_owned(), words.next().unwrap_or_default().to_owned()))
        });
        let (providers, others): (Vec<_>, Vec<_>) =
            members.partition(|(_, program)| program.ends_with("/terraform-provider-servicenow"));
        let pids = |members: Vec<(String, String)>| members.into_iter().map(|(pid, _)| pid).collect();
        (pids(providers), pids(others))
    }
}

fn kill(pids: &[String]) {
    let script = format!("kill -s KILL {}", pids.join(" "));
    let status = Command::new("sh").args(["-c", &script]).status();
    assert!(status.is_ok_and(|status| status.success()), "{script} failed");
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.ended.is_none() {
            self.signal("KILL");
            let _ = self.child.wait();
        }
    }
}

enum Stream {
    Stdout,
    Stderr,
}

fn collect(from: impl Read + Send + 'static, into: &Arc<Mutex<Output>>, stream: Stream) -> JoinHandle<()> {
    let into = Arc::clone(into);
    std::thread::spawn(move || {
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        while from.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            let text = String::from_utf8_lossy(&line);
            let mut output = into.lock().unwrap();
            output.both.push_str(&text);
            match stream {
                Stream::Stdout => output.stdout.push_str(&text),
                Stream::Stderr => output.stderr.push_str(&text),
            }
            drop(output);
            line.clear();
        }
    })
}

/// Far longer than any command takes on a busy machine: only a hang gets there.
const LONGEST_COMMAND: Duration = Duration::from_secs(120);
