//! Sources as tokens: what a line-by-line reader cannot see, such as arguments and texts of several lines.

/// Comments, blanks and lifetimes are none.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// A name, keyword or number.
    Word(String),
    /// A text in quotation marks, without them and without escapes.
    Text(String),
    /// Any other character.
    Mark(char),
}

#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) line: usize,
}

impl Token {
    pub(crate) fn word(&self) -> Option<&str> {
        match &self.kind {
            Kind::Word(word) => Some(word),
            Kind::Text(_) | Kind::Mark(_) => None,
        }
    }

    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.word() == Some(word)
    }

    pub(crate) fn is_mark(&self, mark: char) -> bool {
        self.kind == Kind::Mark(mark)
    }
}

/// The tokens of a source, without what is compiled for tests only.
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    without_tests(&Lexer::read(source))
}

/// The position of the bracket that closes the one at `open`; the end of the tokens if none does.
pub(crate) fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.kind {
            Kind::Mark('(' | '[' | '{') => depth += 1,
            Kind::Mark(')' | ']' | '}') => depth -= 1,
            Kind::Word(_) | Kind::Text(_) | Kind::Mark(_) => {}
        }
        if depth == 0 {
            return at;
        }
    }
    tokens.len()
}

/// Splits at the marks `at` that stand in no brackets.
pub(crate) fn split(tokens: &[Token], at: char) -> Vec<&[Token]> {
    let mut parts = Vec::new();
    let (mut start, mut next) = (0, 0);
    while next < tokens.len() {
        match tokens[next].kind {
            Kind::Mark('(' | '[' | '{') => next = closing(tokens, next),
            Kind::Mark(mark) if mark == at => {
                parts.push(&tokens[start..next]);
                start = next + 1;
            }
            Kind::Word(_) | Kind::Text(_) | Kind::Mark(_) => {}
        }
        next += 1;
    }
    parts.push(&tokens[start.min(tokens.len())..]);
    parts
}

fn without_tests(all: &[Token]) -> Vec<Token> {
    let attribute = Lexer::read("#[cfg(test)]");
    let mut kept = Vec::new();
    let mut at = 0;
    while at < all.len() {
        let rest = &all[at..];
        let is_for_tests = rest.iter().map(|token| &token.kind).take(attribute.len());
        if is_for_tests.eq(attribute.iter().map(|token| &token.kind)) {
            at = end_of_item(all, at + attribute.len()) + 1;
        } else {
            kept.push(all[at].clone());
            at += 1;
        }
    }
    kept
}

/// An item ends with its block or with a semicolon.
fn end_of_item(all: &[Token], start: usize) -> usize {
    let mut at = start;
    while at < all.len() {
        match all[at].kind {
            Kind::Mark('{') => return closing(all, at),
            Kind::Mark(';') => return at,
            Kind::Mark('(' | '[') => at = closing(all, at),
            Kind::Word(_) | Kind::Text(_) | Kind::Mark(_) => {}
        }
        at += 1;
    }
    at
}

struct Lexer {
    letters: Vec<char>,
    at: usize,
    line: usize,
}

impl Lexer {
    fn read(source: &str) -> Vec<Token> {
        let letters = source.chars().collect();
        let mut lexer = Lexer {
            letters,
            at: 0,
            line: 1,
        };
        let mut found = Vec::new();
        while lexer.at < lexer.letters.len() {
            let line = lexer.line;
            if let Some(kind) = lexer.next() {
                found.push(Token { kind, line });
            }
        }
        found
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.letters.get(self.at + ahead).copied()
    }

    fn take(&mut self) -> Option<char> {
        let letter = self.peek(0)?;
        self.at += 1;
        self.line += usize::from(letter == '\n');
        Some(letter)
    }

    fn take_while(&mut self, is_meant: impl Fn(char) -> bool) -> String {
        let mut taken = String::new();
        while self.peek(0).is_some_and(&is_meant) {
            taken.extend(self.take());
        }
        taken
    }

    fn next(&mut self) -> Option<Kind> {
        let first = self.peek(0)?;
        match (first, self.peek(1)) {
            ('/', Some('/')) => {
                self.take_while(|letter| letter != '\n');
                None
            }
            ('/', Some('*')) => {
                self.skip_block_comment();
                None
            }
            ('"', _) => {
                self.take();
                Some(Kind::Text(self.quoted('"')))
            }
            ('\'', next) => {
                self.take();
                // Anything else is the quotation mark of a lifetime.
                (next == Some('\\') || self.peek(1) == Some('\'')).then(|| Kind::Text(self.quoted('\'')))
            }
            _ if first.is_alphanumeric() || first == '_' => {
                let word = self.take_while(|letter| letter.is_alphanumeric() || letter == '_');
                let is_raw = ["r", "br", "cr"].contains(&word.as_str());
                let raw = if is_raw { self.raw() } else { None };
                Some(raw.map_or(Kind::Word(word), Kind::Text))
            }
            _ => {
                self.take();
                (!first.is_whitespace()).then_some(Kind::Mark(first))
            }
        }
    }

    fn skip_block_comment(&mut self) {
        let mut depth = 0_usize;
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('*')) => depth += 1,
                (Some('*'), Some('/')) => depth -= 1,
                (None, _) => return,
                (Some(_), _) => {
                    self.take();
                    continue;
                }
            }
            self.take();
            self.take();
            if depth == 0 {
                return;
            }
        }
    }

    /// Up to the mark that ends it.
    fn quoted(&mut self, end: char) -> String {
        let mut text = String::new();
        while let Some(letter) = self.take() {
            if letter == end {
                break;
            }
            if letter != '\\' {
                text.push(letter);
                continue;
            }
            match self.take() {
                // The text goes on at the next word.
                Some('\n') => _ = self.take_while(char::is_whitespace),
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                escaped => text.extend(escaped),
            }
        }
        text
    }

    /// The rest of `r"…"` and `r#"…"#`; nothing is taken of anything else, such as the name `r#type`.
    fn raw(&mut self) -> Option<String> {
        let hashes = (0..).take_while(|ahead| self.peek(*ahead) == Some('#')).count();
        if self.peek(hashes) != Some('"') {
            return None;
        }
        self.at += hashes + 1;
        let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
        let mut text = String::new();
        while self.at < self.letters.len() && !self.letters[self.at..].starts_with(&end) {
            text.extend(self.take());
        }
        self.at += end.len();
        Some(text)
    }
}

#[test]
fn tokens_are_those_of_the_code_and_not_of_its_tests() {
    let source = r##"
        // A comment with "text".
        const A: &'static str = "one \
            two \"three\""; /* and /* nested */ */
        #[cfg(test)]
        mod declared;
        #[cfg(test)]
        fn hidden(x: [u8; 2]) { "hidden"; }
        let b = ('"', r#"a "raw" text"#);
        #[cfg(test)]
        mod tests { fn hidden() { "hidden"; } }
    "##;
    let texts: Vec<(usize, String)> = tokens(source)
        .into_iter()
        .filter_map(|token| match token.kind {
            Kind::Text(text) => Some((token.line, text)),
            Kind::Word(_) | Kind::Mark(_) => None,
        })
        .collect();
    let expected = [(3, "one two \"three\""), (9, "\""), (9, "a \"raw\" text")];
    assert_eq!(texts, expected.map(|(line, text)| (line, text.to_owned())));
}
