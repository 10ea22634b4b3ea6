//! One line of the log: a JSON object that stays below what the host takes as a line.

#[derive(Clone, Debug)]
pub(super) enum FieldValue {
    Text(String),
    /// A number or a boolean, as JSON has it.
    Literal(String),
}

/// A line in the making.
pub(super) struct Line {
    json: String,
    names: Vec<&'static str>,
    /// The number of fields that did not fit.
    left_out: usize,
}

impl Line {
    pub(super) fn new(level: &str, message: &str, module: &str, timestamp: &str) -> Self {
        let mut json = String::with_capacity(256);
        json.push_str("{\"@level\":");
        push_text(&mut json, level, TEXT_ROOM);
        json.push_str(",\"@message\":");
        push_text(&mut json, message, TEXT_ROOM);
        json.push_str(",\"@module\":");
        push_text(&mut json, module, TEXT_ROOM);
        json.push_str(",\"@timestamp\":");
        push_text(&mut json, timestamp, TEXT_ROOM);
        Self {
            json,
            names: Vec::new(),
            left_out: 0,
        }
    }

    /// Adds a field, unless an earlier one has the name or the line is full.
    pub(super) fn add(&mut self, name: &'static str, value: &FieldValue) {
        // A name with an at sign would change the line's meaning: the host panics on a level that is no string.
        if name.starts_with('@') || self.names.contains(&name) {
            return;
        }
        let before = self.json.len();
        self.json.push(',');
        push_text(&mut self.json, name, NAME_ROOM);
        self.json.push(':');
        match value {
            FieldValue::Text(text) => push_text(&mut self.json, text, TEXT_ROOM),
            FieldValue::Literal(literal) => self.json.push_str(literal),
        }
        if self.json.len() > LINE_ROOM {
            self.json.truncate(before);
            self.left_out += 1;
        } else {
            self.names.push(name);
        }
    }

    /// The line with its newline.
    pub(super) fn finish(mut self) -> String {
        if self.left_out > 0 {
            self.json.push_str(&format!(",\"fields_left_out\":{}", self.left_out));
        }
        self.json.push_str("}\n");
        self.json
    }
}

/// Appends a JSON string of at most `room` bytes between the quotes, cut at a character with a mark.
fn push_text(json: &mut String, text: &str, room: usize) {
    json.push('"');
    let start = json.len();
    for character in text.chars() {
        if json.len() - start > room - LONGEST_ESCAPE - CUT_MARK.len() {
            json.push_str(CUT_MARK);
            break;
        }
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            control if control < ' ' => json.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => json.push(other),
        }
    }
    json.push('"');
}

/// The host cuts at 65536 bytes; what comes after would be a line of its own.
const LINE_ROOM: usize = 60 << 10;
const TEXT_ROOM: usize = 16 << 10;
const NAME_ROOM: usize = 128;
const LONGEST_ESCAPE: usize = 6;
const CUT_MARK: &str = " [cut]";

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> serde_json::Value {
        assert!(
            line.len() < 65536 && line.ends_with("}\n") && line.matches('\n').count() == 1,
            "{line}"
        );
        serde_json::from_str(line).unwrap()
    }

    #[test]
    fn any_text_survives_as_json() {
        let text = "\u{0}\u{1f}\u{7f}\"\\/\n\r\t\u{2028}ü€𝄞";
        let mut line = Line::new("info", text, "m", "t");
        line.add("field", &FieldValue::Text(text.to_owned()));

        let parsed = parse(&line.finish());

        assert_eq!(parsed["@message"], text);
        assert_eq!(parsed["field"], text);
    }

    #[test]
    fn a_huge_line_is_cut_and_says_so() {
        for filler in ["x", "\u{1}", "𝄞", "\""] {
            let huge = filler.repeat(1 << 20);
            let mut line = Line::new("info", &huge, "m", "t");
            for name in ["a", "b", "c", "d", "e"] {
                line.add(name, &FieldValue::Text(huge.clone()));
            }
            line.add("small", &FieldValue::Literal("1".to_owned()));

            let parsed = parse(&line.finish());

            assert!(parsed["@message"].as_str().unwrap().ends_with(CUT_MARK));
            assert_eq!(parsed["small"], 1);
            assert!(parsed["fields_left_out"].as_u64().unwrap() >= 2);
        }
    }

    #[test]
    fn the_first_of_two_fields_with_one_name_counts_and_none_replaces_the_level() {
        let mut line = Line::new("info", "", "m", "t");
        line.add("x", &FieldValue::Literal("1".to_owned()));
        line.add("x", &FieldValue::Literal("2".to_owned()));
        line.add("@level", &FieldValue::Literal("3".to_owned()));

        let line = line.finish();

        assert_eq!(line.matches("\"x\"").count(), 1);
        assert_eq!(
            (&parse(&line)["x"], &parse(&line)["@level"]),
            (&1.into(), &"info".into())
        );
    }
}
