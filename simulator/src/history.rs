//! What a service remembers of its past: everything, or only the newest of it.

use std::collections::VecDeque;

/// A sequence that forgets its oldest entries when it has more than it may.
#[derive(Clone, Debug)]
pub(crate) struct History<T> {
    entries: VecDeque<T>,
    at_most: usize,
}

impl<T> Default for History<T> {
    fn default() -> Self {
        Self {
            entries: VecDeque::new(),
            at_most: usize::MAX,
        }
    }
}

impl<T> History<T> {
    /// Forgets all but the newest from now on.
    pub(crate) fn keep_at_most(&mut self, at_most: usize) {
        self.at_most = at_most;
        self.forget();
    }

    pub(crate) fn push(&mut self, entry: T) {
        self.entries.push_back(entry);
        self.forget();
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }

    fn forget(&mut self) {
        let surplus = self.entries.len().saturating_sub(self.at_most);
        self.entries.drain(..surplus);
    }
}

impl<T: Clone> History<T> {
    /// Oldest first.
    pub(crate) fn all(&self) -> Vec<T> {
        self.entries.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_entries_are_kept() {
        let mut history = History::default();
        (0..5).for_each(|entry| history.push(entry));
        assert_eq!(history.all(), [0, 1, 2, 3, 4]);

        history.keep_at_most(2);

        assert_eq!(history.all(), [3, 4]);
        history.push(5);
        assert_eq!(history.all(), [4, 5]);
        history.clear();
        assert_eq!(history.all(), [0; 0]);
    }
}
