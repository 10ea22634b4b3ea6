//! The words of the messages, read from the sources: a secret that is one of them, or a part of one, masks none of them.

use std::collections::BTreeSet;
use std::fs;

use crate::source_tokens::{self, Kind};

const LIST: &str = "src/provider/unmasked_words.txt";
/// Shorter secrets are not masked at all (`http::secret`).
const SHORTEST: usize = 4;

#[test]
fn every_word_of_the_messages_is_in_the_list() {
    let mut used = BTreeSet::new();
    for file in super::sources(&super::root().join("src")) {
        for token in source_tokens::tokens(&fs::read_to_string(file).unwrap()) {
            if let Kind::Text(text) = token.kind
                && text.contains(' ')
            {
                used.extend(words(&text));
            }
        }
    }
    let list = fs::read_to_string(super::root().join(LIST)).unwrap();
    let listed: BTreeSet<String> = list.lines().map(str::to_owned).collect();

    assert_eq!(
        list,
        listed.iter().map(|word| format!("{word}\n")).collect::<String>(),
        "{LIST} has one word per line, sorted"
    );
    let lacking: Vec<&String> = used.difference(&listed).collect();
    assert!(lacking.is_empty(), "add to {LIST} the new words {lacking:?}");
    let surplus: Vec<&String> = listed.difference(&used).collect();
    assert!(
        surplus.is_empty(),
        "remove from {LIST}, since no message has them: {surplus:?}"
    );
}

/// The words of a text in small letters, without what stands in braces, which is filled in.
fn words(text: &str) -> impl Iterator<Item = String> {
    let mut depth = 0_usize;
    let plain: String = text
        .chars()
        .map(|letter| {
            match letter {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 { letter.to_ascii_lowercase() } else { ' ' }
        })
        .collect();
    let all: Vec<String> = plain
        .split(|letter: char| !letter.is_ascii_alphabetic() && letter != '_')
        .map(|word| word.trim_matches('_').to_owned())
        .filter(|word| word.len() >= SHORTEST)
        .collect();
    all.into_iter()
}
