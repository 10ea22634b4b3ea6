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
                Stream::Stderr => {}
            }
            drop(output);
            line.clear();
        }
    })
}

/// Far longer than any command takes on a busy machine: only a hang gets there.
const LONGEST_COMMAND: Duration = Duration::from_secs(120);
