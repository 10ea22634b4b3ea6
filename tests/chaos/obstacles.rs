//! What stands in the way of one apply and is then gone: rows and tables that the account may not read, grants that the
//! instance refuses, texts that are too long for their column. An error, and nothing is lost, doubled or replaced.

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use servicenow_provider::plugin::Value;
use servicenow_simulator::Simulator;
use servicenow_simulator::instance::Operation;

use crate::scenarios;
use crate::terraform_core::{Block, Core};

/// The obstacles of one apply.
#[derive(Clone, Debug, Default)]
pub(crate) struct Obstacles {
    /// Records, by `sys_id`, that are counted and not shown.
    hidden_rows: BTreeSet<String>,
    /// Tables of which the rows are counted and not shown.
    hidden_tables: BTreeSet<String>,
    /// Tables of which the rows are neither counted nor shown.
    uncounted_tables: BTreeSet<String>,
    /// Tables that answer a read with 403.
    closed_tables: BTreeSet<String>,
    /// Roles that nobody may grant.
    refused_roles: BTreeSet<String>,
    /// Whether texts are longer than their columns, where the instance cuts them.
    pub(crate) has_long_text: bool,
    /// Whether all this begins between the plan and the writes.
    pub(crate) is_sudden: bool,
}

impl Obstacles {
    /// Those of the first apply of a stage, often none. `ids` are the records of what is in the state.
    pub(crate) fn of_stage(seed: u64, stage: &str, ids: &BTreeMap<String, String>, simulator: &Simulator) -> Self {
        // Another stream than those of the configuration, the faults and the quirks.
        let offset = stage.bytes().fold(0, |sum, byte| sum * 31 + u64::from(byte));
        let mut random = StdRng::seed_from_u64(seed ^ 0x0b57_ac1e ^ (offset << 32));
        if random.random_bool(0.5) {
            return Self::default();
        }
        let mut obstacles = Self::of_reads(&mut random, ids);
        let instance = simulator.instance();
        for table in REFERENCED {
            for row in instance.records(table) {
                if random.random_bool(0.1) {
                    obstacles.hidden_rows.insert(row["sys_id"].clone());
                }
            }
            if random.random_bool(0.1) {
                obstacles.uncounted_tables.insert(table.to_owned());
            }
        }
        for table in FILES {
            if random.random_bool(0.1) {
                obstacles.uncounted_tables.insert(table.to_owned());
            }
        }
        for role in instance.records("sys_user_role") {
            if random.random_bool(0.15) {
                obstacles.refused_roles.insert(role["name"].clone());
            }
        }
        obstacles.has_long_text = random.random_bool(0.3);
        obstacles.is_sudden = random.random_bool(0.5);
        obstacles
    }

    /// Rows of what is in the state, and tables.
    fn of_reads(random: &mut StdRng, ids: &BTreeMap<String, String>) -> Self {
        let mut obstacles = Self::default();
        // As they are stored, however the instance of this seed spells them.
        let stored = ids.values().map(|id| id.to_lowercase());
        obstacles.hidden_rows = stored.filter(|_| random.random_bool(ROWS)).collect();
        for table in WRITTEN.into_iter().chain(REFERENCED) {
            if random.random_bool(TABLES) {
                obstacles.hidden_tables.insert(table.to_owned());
            } else if random.random_bool(TABLES) {
                obstacles.closed_tables.insert(table.to_owned());
            }
        }
        obstacles
    }

    /// The configuration as an operator wrote it who did not think of the lengths of columns.
    pub(crate) fn configured(&self, blocks: &[Block]) -> Vec<Block> {
        let mut blocks = blocks.to_vec();
        for (type_name, attribute) in LONG.into_iter().filter(|_| self.has_long_text) {
            // What the configuration of the stage leaves out would stay long.
            let is_configured =
                |block: &&mut Block| block.type_name == type_name && !block.config.at(attribute).is_null();
            if let Some(block) = blocks.iter_mut().find(is_configured) {
                block.config.set(attribute, Value::from("long ".repeat(1_000)));
            }
        }
        blocks
    }

    pub(crate) fn set(&self, simulator: &Simulator) {
        simulator.instance().switches(|modes| {
            modes.hidden_rows.clone_from(&self.hidden_rows);
            modes.quirks.hidden_tables.clone_from(&self.hidden_tables);
            modes.quirks.uncounted_tables.clone_from(&self.uncounted_tables);
            modes.quirks.refused_roles.clone_from(&self.refused_roles);
            modes.quirks.truncates |= self.has_long_text;
            for table in &self.closed_tables {
                modes.table_roles.insert((table.clone(), Operation::Read), Vec::new());
            }
        });
    }

    pub(crate) fn lift(&self, simulator: &Simulator) {
        simulator.instance().switches(|modes| {
            modes.hidden_rows.clear();
            modes.quirks.hidden_tables.clear();
            modes.quirks.uncounted_tables.clear();
            modes.quirks.refused_roles.clear();
            for table in &self.closed_tables {
                modes.table_roles.remove(&(table.clone(), Operation::Read));
            }
        });
    }
}

/// Applies what is there already while some of it cannot be read, then shows it again.
pub(crate) async fn survive(core: &mut Core, blocks: &[Block], simulator: &Simulator, seed: u64) -> Result<(), String> {
    // Another stream than those of the configuration, the faults and the quirks.
    let mut random = StdRng::seed_from_u64(seed ^ 0x41dd_e000);
    let ids = core.ids();
    let obstacles = Obstacles::of_reads(&mut random, &ids);
    let records = scenarios::records(simulator);
    core.replaced.clear();
    obstacles.set(simulator);
    let applied = core.apply(blocks, || ()).await;
    obstacles.lift(simulator);
    let describe = || format!("{obstacles:?}; the apply ended in {applied:?}");
    if core.ids() != ids {
        return Err(format!(
            "the state had {ids:?} and has {:?}; {}",
            core.ids(),
            describe()
        ));
    }
    if !core.replaced.is_empty() {
        return Err(format!("replaced {:?}; {}", core.replaced, describe()));
    }
    if scenarios::records(simulator) != records {
        return Err(format!("the records are others than before; {}", describe()));
    }
    Ok(())
}

/// How many of the rows are hidden, and of the tables hidden; as many of the other tables are closed.
const ROWS: f64 = 0.3;
const TABLES: f64 = 0.075;
/// Tables of what the scenarios make.
const WRITTEN: [&str; 11] = [
    "sys_user",
    "sys_user_has_role",
    "sys_user_grmember",
    "sys_user_role_contains",
    "sys_group_has_role",
    "oauth_entity",
    "oauth_oidc_entity",
    "oauth_entity_profile",
    "oauth_entity_auth_scope_mapping",
    "sys_scope_privilege",
    "ip_access",
];
/// Those of them that extend the table of all application files, so that no row of theirs is lost out of sight.
const FILES: [&str; 5] = [
    "oauth_entity",
    "oauth_oidc_entity",
    "oauth_entity_profile",
    "oauth_entity_auth_scope_mapping",
    "sys_scope_privilege",
];
/// Tables of what they refer to, or change. Not `sys_choice`: where it cannot be read, a label is sent as it is, with a
/// warning that says so.
const REFERENCED: [&str; 5] = [
    "sys_user_role",
    "sys_user_group",
    "sys_auth_scope",
    "sys_scope",
    "sys_db_object",
];
/// Texts without a limit in the schema.
const LONG: [(&str, &str); 5] = [
    ("servicenow_group", "description"),
    ("servicenow_role", "description"),
    ("servicenow_integration_user", "title"),
    ("servicenow_oauth_entity", "comments"),
    ("servicenow_ip_access_rule", "description"),
];
