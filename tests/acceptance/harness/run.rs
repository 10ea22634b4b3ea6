//! What a terraform command did.

use serde_json::Value;

/// A terraform command that has ended: its exit code and what it printed. Checks can be chained.
#[must_use = "say what should have happened: `succeeds()` or `fails_saying(...)`"]
pub(crate) struct Run {
    pub(super) command: String,
    pub(super) code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
    /// Both in the order of arrival, for the story of a failed test. On a busy machine a line of one may arrive in the
    /// middle of a message on the other, so checks never look here.
    pub(super) both: String,
}

impl Run {
    #[track_caller]
    pub(crate) fn succeeds(&self) -> &Self {
        assert_eq!(
            self.code,
            Some(0),
            "terraform {} should succeed\n{}",
            self.command,
            self.both
        );
        self
    }

    /// Succeeds and warns of nothing, but that it runs a build of ours.
    #[track_caller]
    pub(crate) fn succeeds_without_warning(&self) -> &Self {
        self.succeeds();
        let warnings = self.words().replace("Warning: Provider development overrides", "");
        assert!(
            !warnings.contains("Warning:"),
            "terraform {} should warn of nothing\n{}",
            self.command,
            self.both
        );
        self
    }

    /// Fails with `text` in what it prints. Terraform wraps lines and draws a frame: neither matters here.
    #[track_caller]
    pub(crate) fn fails_saying(&self, text: &str) -> &Self {
        assert_eq!(
            self.code,
            Some(1),
            "terraform {} should fail\n{}",
            self.command,
            self.both
        );
        self.says(text)
    }

    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        let said = self.words();
        assert!(
            said.contains(&unframed(text)),
            "terraform {} should say {text:?}\n{}",
            self.command,
            self.both
        );
        self
    }

    /// Whether `text` is among what it prints.
    pub(crate) fn mentions(&self, text: &str) -> bool {
        self.words().contains(&unframed(text))
    }

    /// All that it printed, for the message of a check.
    pub(crate) fn output(&self) -> &str {
        &self.both
    }

    #[track_caller]
    pub(crate) fn does_not_say(&self, text: &str) -> &Self {
        let said = self.words();
        assert!(
            !said.contains(&unframed(text)),
            "terraform {} should not say {text:?}\n{}",
            self.command,
            self.both
        );
        self
    }

    /// All that was printed, without line breaks and frames.
    pub(crate) fn words(&self) -> String {
        format!("{} {}", unframed(&self.stdout), unframed(&self.stderr))
    }

    /// Messages are put together from parts: an article may not fit its noun, and two parts may both bring a full stop.
    #[track_caller]
    pub(super) fn has_well_formed_messages(&self) {
        for stream in [&self.stdout, &self.stderr] {
            let framed = stream.lines().filter_map(|line| line.trim_start().strip_prefix('│'));
            let text = framed.collect::<Vec<_>>().join(" ");
            let words: Vec<&str> = text.split_whitespace().collect();
            let slip = words.windows(2).find(|pair| is_slip(pair[0], pair[1]));
            assert!(
                slip.is_none(),
                "terraform {} says {:?}\n{}",
                self.command,
                slip.map(|pair| pair.join(" ")),
                self.both
            );
        }
    }

    /// The answer of a command that was asked for one JSON value.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!("terraform {} should print JSON: {error}\n{}", self.command, self.both);
        })
    }

    /// The answer of a command with one JSON object per line (`apply -json`, `query -json`).
    #[track_caller]
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        let lines = self.stdout.lines().filter(|line| line.starts_with('{'));
        lines
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in: {line}")))
            .collect()
    }
}

/// The words alone, without line breaks and without the frame around a diagnostic.
fn unframed(text: &str) -> String {
    let words = text
        .split_whitespace()
        .filter(|word| !word.chars().all(|c| "│╷╵".contains(c)));
    words.collect::<Vec<_>>().join(" ")
}

/// Whether of two adjacent words the first is a wrong article, or ends in a doubled full stop.
fn is_slip(word: &str, next: &str) -> bool {
    let stops = word.trim_end_matches(['"', '\'', ')', '`']);
    let is_doubled = stops.ends_with("..") && !stops.ends_with("...") && !stops.ends_with("/..");
    let vowel = ['a', 'e', 'i', 'o', 'A', 'E', 'I', 'O'];
    let is_wrong = match word {
        "a" | "A" => next.starts_with(vowel) && !next.starts_with("one"),
        "an" | "An" => next.starts_with("user") || next.starts_with("URL"),
        _ => false,
    };
    is_doubled || next == "." || is_wrong
}

mod tests {
    use super::{Run, is_slip};

    #[test]
    fn slips_of_messages_are_seen() {
        for (word, next) in [("a", "OIDC"), ("an", "user"), ("gone..", "Run"), ("gone.", ".")] {
            assert!(is_slip(word, next), "{word} {next}");
        }
        for (word, next) in [
            ("an", "OIDC"),
            ("a", "user"),
            ("a", "one-time"),
            ("creating...", "x"),
            ("a.", "Run"),
        ] {
            assert!(!is_slip(word, next), "{word} {next}");
        }
    }

    /// Terraform writes its progress to one stream and its errors to the other, and two threads read them.
    #[test]
    fn a_message_stays_whole_when_a_line_of_the_other_stream_arrives_within() {
        let run = Run {
            command: "apply".to_owned(),
            code: Some(1),
            stdout: "ephemeral.servicenow_inbound_check.this: Opening...\n".to_owned(),
            stderr: "│ Error: the client secret\n│ is wrong\n".to_owned(),
            both: "│ Error: the client secret\nephemeral.servicenow_inbound_check.this: Opening...\n│ is wrong\n"
                .to_owned(),
        };

        run.fails_saying("the client secret is wrong")
            .says("inbound_check.this: Opening...");
    }
}
