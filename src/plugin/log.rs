//! Logging in the form the host reads from stderr: one JSON object per line, as hclog writes it.
//!
//! Write with the macros of `tracing`. A message is `@message`; fields, those of the enclosing spans included, become
//! keys of their own. Only this crate's events are written: libraries log bytes of requests, which hold secrets.

mod line;

use std::env;
use std::fmt::{self, Debug};
use std::io::Write;

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use crate::plugin::Mask;
use crate::plugin::log::line::{FieldValue, Line};

/// Sends the log to stderr as far as the host shows it; with the host's logging off, the macros cost nothing.
///
/// Reads `TF_LOG_PROVIDER`, `TF_LOG`, and `TF_LOG_PROVIDER_<NAME>` and `TF_LOG_SDK`, which narrow them.
#[expect(
    clippy::disallowed_methods,
    reason = "these belong to the plugin protocol, not to the provider's configuration"
)]
pub fn to_stderr(name: &str, mask: Mask) {
    let levels = Levels::from_variables(name, |name| env::var(name).ok());
    if levels.highest() == LevelFilter::OFF {
        return;
    }
    let layer = Hclog {
        levels,
        mask,
        write: |line| drop(std::io::stderr().lock().write_all(line.as_bytes())),
    };
    // Fails when a test has set one already.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer));
}

/// How much to write.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Levels {
    /// Events of the provider.
    provider: LevelFilter,
    /// Events of this framework.
    framework: LevelFilter,
}

impl Levels {
    fn from_variables(name: &str, variable: impl Fn(&str) -> Option<String>) -> Self {
        let level = |name: &str| {
            variable(name)
                .filter(|value| !value.is_empty())
                .map(|value| parse_level(&value))
        };
        let shown = level("TF_LOG_PROVIDER")
            .or_else(|| level("TF_LOG"))
            .unwrap_or(LevelFilter::OFF);
        let own = level(&format!("TF_LOG_PROVIDER_{}", name.to_uppercase().replace('-', "_")));
        Self {
            provider: own.unwrap_or(LevelFilter::TRACE).min(shown),
            framework: level("TF_LOG_SDK").or(own).unwrap_or(LevelFilter::TRACE).min(shown),
        }
    }

    fn highest(self) -> LevelFilter {
        self.provider.max(self.framework)
    }

    fn allow(self, metadata: &Metadata<'_>) -> bool {
        match EventSource::of(metadata.target()) {
            EventSource::Framework(_) => *metadata.level() <= self.framework,
            EventSource::Provider(_) => *metadata.level() <= self.provider,
            EventSource::Library => false,
        }
    }
}

/// `json` and whatever else it does not know mean everything to the host.
fn parse_level(value: &str) -> LevelFilter {
    match value.to_ascii_uppercase().as_str() {
        "OFF" => LevelFilter::OFF,
        "ERROR" => LevelFilter::ERROR,
        "WARN" => LevelFilter::WARN,
        "INFO" => LevelFilter::INFO,
        "DEBUG" => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    }
}

/// Who logs, with the rest of the module's path.
enum EventSource<'a> {
    Framework(&'a str),
    Provider(&'a str),
    Library,
}

impl<'a> EventSource<'a> {
    fn of(target: &'a str) -> Self {
        let framework = module_path!().trim_end_matches("::log");
        let krate = framework.trim_end_matches("::plugin");
        let below = |module: &str| {
            let rest = target.strip_prefix(module)?;
            (rest.is_empty() || rest.starts_with("::")).then(|| rest.trim_start_matches("::"))
        };
        match (below(framework), below(krate)) {
            (Some(rest), _) => Self::Framework(rest),
            (None, Some(rest)) => Self::Provider(rest),
            (None, None) => Self::Library,
        }
    }

    /// `sdk.transport`, `provider.http`: the first word is the one Go plugins use.
    fn module(&self) -> String {
        let (first, rest) = match self {
            Self::Framework(rest) => ("sdk", *rest),
            Self::Provider(rest) => ("provider", *rest),
            Self::Library => ("library", ""),
        };
        if rest.is_empty() {
            first.to_owned()
        } else {
            format!("{first}.{}", rest.replace("::", "."))
        }
    }
}

/// Writes events as hclog does.
struct Hclog {
    levels: Levels,
    mask: Mask,
    /// Receives whole lines, newline included.
    write: fn(&str),
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Hclog {
    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.levels.highest())
    }

    fn enabled(&self, metadata: &Metadata<'_>, _context: Context<'_, S>) -> bool {
        self.levels.allow(metadata)
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::new(self.mask);
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::new(self.mask);
        event.record(&mut fields);
        let level = match *event.metadata().level() {
            Level::ERROR => "error",
            Level::WARN => "warn",
            Level::INFO => "info",
            Level::DEBUG => "debug",
            Level::TRACE => "trace",
        };
        let mut line = Line::new(
            level,
            &fields.message,
            &EventSource::of(event.metadata().target()).module(),
            &format!("{:.6}", jiff::Timestamp::now()),
        );
        for (name, value) in &fields.others {
            line.add(name, value);
        }
        // From the inside out: of two fields with one name the inner one counts.
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(fields) = span.extensions().get::<Fields>() {
                for (name, value) in &fields.others {
                    line.add(name, value);
                }
            }
        }
        (self.write)(&line.finish());
    }
}

/// The fields of an event or a span, already free of secrets.
struct Fields {
    mask: Mask,
    message: String,
    others: Vec<(&'static str, FieldValue)>,
}

impl Fields {
    fn new(mask: Mask) -> Self {
        Self {
            mask,
            message: String::new(),
            others: Vec::new(),
        }
    }

    fn set(&mut self, field: &Field, value: FieldValue) {
        match self.others.iter_mut().find(|(name, _)| *name == field.name()) {
            Some((_, old)) => *old = value,
            None => self.others.push((field.name(), value)),
        }
    }

    fn set_literal(&mut self, field: &Field, value: impl fmt::Display) {
        self.set(field, FieldValue::Literal(value.to_string()));
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        let masked = (self.mask)(value).into_owned();
        if field.name() == "message" {
            self.message = masked;
        } else {
            self.set(field, FieldValue::Text(masked));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut text = value.to_string();
        let mut cause = value.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        self.record_str(field, &text);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set_literal(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set_literal(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set_literal(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if value.is_finite() {
            self.set_literal(field, value);
        } else {
            self.record_str(field, &value.to_string()); // JSON has no word for it
        }
    }
}

#[cfg(test)]
mod tests;
