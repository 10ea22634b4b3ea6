//! Which resources manage the links of a record, as far as this run has shown: the record itself, by a list of names, or a
//! resource of its own for each link.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Mutex;

use tokio::sync::watch;

use crate::servicenow::{SysId, Table};
use crate::sync::lock;

/// The managers of links.
#[derive(Debug, Default)]
pub struct LinkManagers {
    /// How many lists of the links of a table are under way, for `terraform query`.
    lists: watch::Sender<HashMap<Table, usize>>,
    /// Records that have links which were listed or imported as resources of their own, by the table of the links.
    separate: Mutex<HashSet<(Table, SysId)>>,
    /// The attributes and resource types that manage a link.
    managers: Mutex<HashMap<LinkKey, BTreeSet<&'static str>>>,
}

/// A link: its table, its record, and the name of the other record in lower case.
type LinkKey = (Table, SysId, String);

/// A list of links that is under way.
#[derive(Debug)]
pub struct Listing<'a> {
    managers: &'a LinkManagers,
    table: Table,
}

impl LinkManagers {
    /// A list of a table begins. It ends when the returned value is dropped.
    pub fn begin_list(&self, table: Table) -> Listing<'_> {
        self.lists.send_modify(|lists| *lists.entry(table).or_default() += 1);
        Listing { managers: self, table }
    }

    /// Notes that a link of a record was listed or imported as a resource of its own.
    pub fn note_separate(&self, links: Table, owner: &SysId) {
        lock(&self.separate).insert((links, owner.clone()));
    }

    /// Whether links of a record were listed or imported as resources of their own. Waits for lists that are under way.
    pub async fn has_separate_resources(&self, links: Table, owner: &SysId) -> bool {
        let mut lists = self.lists.subscribe();
        // The sender is here, so this cannot fail.
        let _ = lists
            .wait_for(|lists| lists.get(&links).copied().unwrap_or_default() == 0)
            .await;
        lock(&self.separate).contains(&(links, owner.clone()))
    }

    /// Notes that `manager` manages the link of a record to the one of this name. True where that makes it the second manager
    /// of the link.
    pub fn is_second(&self, links: Table, owner: &SysId, name: &str, manager: &'static str) -> bool {
        let mut managers = lock(&self.managers);
        let link = (links, owner.clone(), name.trim().to_lowercase());
        let managers = managers.entry(link).or_default();
        managers.insert(manager) && managers.len() == 2
    }
}

impl Drop for Listing<'_> {
    fn drop(&mut self) {
        self.managers.lists.send_modify(|lists| {
            if let Some(count) = lists.get_mut(&self.table) {
                *count -= 1;
            }
        });
    }
}
