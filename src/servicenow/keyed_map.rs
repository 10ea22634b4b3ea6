//! Values that several calls share, behind locks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::sync::lock;

/// What is shared by key.
pub(super) type Shared<K, V> = Mutex<HashMap<K, Arc<V>>>;

/// A map entry made on first use.
pub(super) fn entry_of<K, V>(map: &Shared<K, V>, key: K, make: impl FnOnce() -> V) -> Arc<V>
where
    K: std::hash::Hash + Eq,
{
    Arc::clone(lock(map).entry(key).or_insert_with(|| Arc::new(make())))
}
