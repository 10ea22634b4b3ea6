//! Fuzzing without a special toolchain: examples, mutated at random, for as long as there is time.
//!
//! Each target is a test whose name begins with `fuzz_`, beside what it feeds. `make test` gives it a moment, `make fuzz`
//! its share of a minute. An input that fails is printed: add it to the target's examples, and it is tried first from then
//! on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use tokio::time::Instant;

/// Calls `target` with the examples, then with mutations of them. A panic of the target fails the test, and so does an
/// input that takes seconds.
#[track_caller]
pub(crate) fn fuzz(examples: &[&[u8]], words: &[&str], target: impl Fn(&[u8])) {
    let examples: Vec<Vec<u8>> = examples.iter().map(|example| example.to_vec()).collect();
    for example in &examples {
        try_one(example, &target);
    }
    let mut random = StdRng::seed_from_u64(rand::random());
    let end = Instant::now() + budget();
    while Instant::now() < end {
        let mut input = examples[random.random_range(0..examples.len())].clone();
        for _ in 0..random.random_range(1..6) {
            mutate(&mut input, &examples, words, &mut random);
        }
        input.truncate(LONGEST);
        try_one(&input, &target);
    }
}

/// [`fuzz`] for what takes text.
#[track_caller]
pub(crate) fn fuzz_text(examples: &[&str], words: &[&str], target: impl Fn(&str)) {
    let examples: Vec<&[u8]> = examples.iter().map(|example| example.as_bytes()).collect();
    fuzz(&examples, words, |bytes| target(&String::from_utf8_lossy(bytes)));
}

#[track_caller]
fn try_one(input: &[u8], target: &impl Fn(&[u8])) {
    let begun = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| target(input)));
    let text = String::from_utf8_lossy(input);
    assert!(outcome.is_ok(), "this input fails: {input:?}\nas text: {text:?}");
    assert!(
        begun.elapsed() < TOO_LONG,
        "this input takes {:?}: {input:?}\nas text: {text:?}",
        begun.elapsed()
    );
}

fn mutate(input: &mut Vec<u8>, examples: &[Vec<u8>], words: &[&str], random: &mut StdRng) {
    let mut at = |length: usize| random.random_range(0..=length);
    let position = at(input.len());
    match at(8) {
        // Another byte, with a taste for the ends of the range.
        0 | 1 if position < input.len() => {
            input[position] = [0, 1, 0x7f, 0x80, 0xff, b'"', b'\\', random.next_u32() as u8][random.random_range(0..8)];
        }
        2 if position < input.len() => input[position] ^= 1 << random.random_range(0..8),
        3 => input.truncate(position),
        4 if position < input.len() => _ = input.remove(position),
        // A part once more, many times over where it is short: depth and length.
        5 => {
            let end = at(input.len()).max(position);
            let part = input[position..end].to_vec();
            let times = if part.len() < 8 { random.random_range(1..400) } else { 1 };
            input.splice(position..position, part.repeat(times));
        }
        // A part of an example.
        6 => {
            let other = &examples[random.random_range(0..examples.len())];
            let from = random.random_range(0..=other.len());
            let to = random.random_range(from..=other.len());
            input.splice(position..position, other[from..to].iter().copied());
        }
        _ if !words.is_empty() => {
            let word = words[random.random_range(0..words.len())];
            input.splice(position..position, word.bytes());
        }
        _ => input.insert(position, random.next_u32() as u8),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the script says how long, not the provider's configuration"
)]
fn budget() -> Duration {
    let given = std::env::var("FUZZ_MILLISECONDS").ok();
    Duration::from_millis(given.and_then(|text| text.parse().ok()).unwrap_or(100))
}

const LONGEST: usize = 8192;
/// Far longer than any of these takes on a busy machine.
const TOO_LONG: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    /// A fuzzer that finds nothing proves nothing.
    #[test]
    fn it_finds_what_is_one_mutation_away() {
        let outcome = catch_unwind(|| fuzz(&[b"harmless"], &["!"], |input| assert!(!input.contains(&b'!'))));

        let told = outcome.unwrap_err();
        assert!(
            told.downcast_ref::<String>()
                .unwrap()
                .starts_with("this input fails: [")
        );
    }
}
