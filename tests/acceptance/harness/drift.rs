//! Objects that somebody else changes or removes.

use super::{Plan, Simulator, Workspace};

/// A table, a `sys_id`, and the columns that somebody else changes there.
pub(crate) type Change<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);

/// Changes to the records of one resource that an apply undoes.
pub(crate) struct Drift<'a> {
    pub(crate) address: &'a str,
    pub(crate) changes: &'a [Change<'a>],
    /// The attributes that the plan then changes, and no others.
    pub(crate) planned: &'a [&'a str],
    /// Columns that no apply changes back.
    pub(crate) kept: &'a [&'a str],
}

impl Drift<'_> {
    /// Makes the changes; the plan shows each of them in place, the apply undoes each of them, and nothing is left to do.
    /// Gives the plan.
    pub(crate) async fn is_corrected(&self, simulator: &Simulator, workspace: &Workspace) -> Plan {
        let instance = simulator.instance();
        let before: Vec<_> = self
            .changes
            .iter()
            .map(|(table, sys_id, _)| instance.record(table, sys_id).expect("the record is there"))
            .collect();
        for (table, sys_id, columns) in self.changes {
            instance.change(table, sys_id, columns);
        }
        let plan = workspace.plan().await;
        plan.updates_only(self.address, self.planned);
        workspace.terraform("apply plan.bin").await.succeeds();
        for ((table, sys_id, columns), before) in self.changes.iter().zip(before) {
            let after = instance.record(table, sys_id).expect("the record is still there");
            for (column, changed) in columns.iter().filter(|(column, _)| !self.kept.contains(column)) {
                let cell = |record: &servicenow_simulator::instance::Record| record.get(*column).cloned();
                let (was, is) = (cell(&before).unwrap_or_default(), cell(&after).unwrap_or_default());
                assert_ne!(was, *changed, "{table}.{column} has not been changed");
                assert_eq!(is, was, "{table}.{column} after the apply");
            }
        }
        workspace.plan_is_empty().await;
        plan
    }
}

/// Removes the object of `address`, whose id `remove` is given: the next apply makes it again, and nothing is left to do.
pub(crate) async fn removal_is_corrected(workspace: &Workspace, address: &str, remove: impl Fn(&str)) {
    remove(&workspace.state(address).text("id"));
    workspace.plan().await.does(address, &["create"]);
    workspace.terraform("apply plan.bin").await.succeeds();
    workspace.plan_is_empty().await;
}

/// Removes the object of `address` just before it is destroyed, which is no error.
pub(crate) async fn destroy_finds_it_removed(workspace: &Workspace, address: &str, remove: impl Fn(&str)) {
    remove(&workspace.state(address).text("id"));
    workspace.terraform("destroy -refresh=false").await.succeeds();
}
