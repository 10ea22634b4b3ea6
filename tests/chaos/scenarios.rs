//! Random configurations, and what must exist when they are applied.
//!
//! Each resource type has a file of its own: a [`Generator`] that draws configurations, changes them, and says which records
//! each of them makes. What is expected follows from the configuration alone.

mod cross_scope_privilege;
mod group;
mod integration_user;
mod ip_access_rule;
mod oauth_entity;
mod oidc_configuration;
mod oidc_provider;
mod record;
mod role;
mod support_repository;
mod support_settings;
mod table_access;
mod user_role;

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use servicenow_provider::plugin::{Object, Value};
use servicenow_simulator::Simulator;
use servicenow_simulator::instance::{Instance, Record};

use super::terraform_core::{Block, Reference};

/// Draws the configurations of one resource type.
trait Generator: Sync {
    /// Of its blocks.
    fn type_name(&self) -> &'static str;

    /// How many blocks there are at most.
    fn most(&self) -> usize {
        3
    }

    /// Draws a block's arguments; `declared` are the blocks so far, which it may refer to.
    fn draw(&self, number: usize, random: &mut Random, declared: &[Block]) -> Drawn;

    /// Changes arguments that may change.
    fn change(&self, random: &mut Random, config: &mut Object);

    /// What a block makes, one line per record.
    fn expected(&self, config: &Object) -> Vec<String>;

    /// Makes what the configurations refer to.
    fn prepare(&self, _: &Simulator) {}

    /// The records that it can concern: a key, and the line that [`Generator::expected`] has for it.
    fn records(&self, _: &Simulator) -> Vec<(String, String)> {
        Vec::new()
    }

    /// Whether a record that was there before is one that its configurations may change.
    fn may_configure(&self, _table: &str, _record: &Record) -> bool {
        false
    }

    /// Whether a change of which the provider did not live to tell may leave this line different for good: what the
    /// records held before was known to that process alone.
    fn is_forgotten_when_killed(&self, _: &str) -> bool {
        false
    }
}

const GENERATORS: [&dyn Generator; 13] = [
    &role::Roles,
    &group::Groups,
    &integration_user::Users,
    &user_role::Roles,
    &oauth_entity::Entities,
    &oidc_configuration::Configurations,
    &oidc_provider::Providers,
    &table_access::Tables,
    &cross_scope_privilege::Privileges,
    &ip_access_rule::Rules,
    &support_settings::Settings,
    &support_repository::Repositories,
    &record::Records,
];

/// Arguments, and where they come from when they are another block's.
struct Drawn {
    config: Object,
    references: Vec<Reference>,
}

impl From<Object> for Drawn {
    fn from(config: Object) -> Self {
        Self {
            config,
            references: Vec::new(),
        }
    }
}

/// A configuration that can change.
pub(crate) struct Scenario {
    random: Random,
    blocks: Vec<Block>,
}

impl Scenario {
    pub(crate) fn random(seed: u64) -> Self {
        let mut random = Random(StdRng::seed_from_u64(seed));
        let mut blocks = Vec::new();
        for generator in GENERATORS {
            // A scenario of all is slow, and most of what goes wrong goes wrong among few.
            let count = if random.chance(0.45) {
                random.0.random_range(1..=generator.most())
            } else {
                0
            };
            for number in 0..count {
                let drawn = generator.draw(number, &mut random, &blocks);
                blocks.push(Block {
                    type_name: generator.type_name(),
                    name: format!("n{number}"),
                    config: drawn.config,
                    references: drawn.references,
                });
            }
        }
        Self { random, blocks }
    }

    /// Changes in place, replacements and removals.
    pub(crate) fn change(&mut self) {
        for block in &mut self.blocks {
            generator_of(block).change(&mut self.random, &mut block.config);
        }
        let random = &mut self.random;
        self.blocks.retain(|_| !random.chance(0.2));
        // Who refers to what is gone goes as well.
        let declared: BTreeSet<String> = self.blocks.iter().map(Block::address).collect();
        self.blocks
            .retain(|block| block.references.iter().all(|it| declared.contains(&it.target)));
    }

    /// Nothing is declared any more.
    pub(crate) fn clear(&mut self) {
        self.blocks.clear();
    }

    pub(crate) fn blocks(&self) -> Vec<Block> {
        self.blocks.clone()
    }

    /// What must have been made, one line per record.
    pub(crate) fn expected(&self) -> Vec<String> {
        let mut expected: Vec<String> = self
            .blocks
            .iter()
            .flat_map(|block| generator_of(block).expected(&block.config))
            .collect();
        expected.sort();
        expected
    }
}

/// Makes what the configurations refer to.
pub(crate) fn prepare(simulator: &Simulator) {
    for generator in GENERATORS {
        generator.prepare(simulator);
    }
}

/// Whether a record that was there before is one that a scenario may change.
pub(crate) fn may_configure(table: &str, record: &Record) -> bool {
    GENERATORS
        .iter()
        .any(|generator| generator.may_configure(table, record))
}

/// All records that a scenario can concern, by table and key, as lines that name no sys_id.
pub(crate) fn records(simulator: &Simulator) -> BTreeMap<String, String> {
    GENERATORS
        .iter()
        .flat_map(|generator| generator.records(simulator))
        .collect()
}

/// What is there now and was not so before, sorted.
pub(crate) fn made(before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Vec<String> {
    let made = now.iter().filter(|(key, line)| before.get(*key) != Some(*line));
    let lost = before.iter().filter(|(key, _)| !now.contains_key(*key));
    let mut made: Vec<String> = made
        .map(|(_, line)| line.clone())
        .chain(lost.map(|(_, line)| format!("LOST {line}")))
        .collect();
    made.sort();
    made
}

/// The roles that users have by inheritance, as lines about grants. Where the instance refuses a grant of such a role,
/// the user has it all the same, and no row of the grant is due.
pub(crate) fn inherited_roles(simulator: &Simulator) -> BTreeSet<String> {
    let instance = simulator.instance();
    let inherited = lines(instance, "sys_user_has_role", |row| {
        let user = cell_of(instance, "sys_user", row.cell("user"), "user_name");
        let role = cell_of(instance, "sys_user_role", row.cell("role"), "name");
        (row.cell("inherited") == "true").then(|| format!("sys_user_has_role {user} {role}"))
    });
    inherited.into_iter().map(|(_, line)| line).collect()
}

/// Whether a change is that of a grant whose role the user had by inheritance alone.
pub(crate) fn was_inherited(change: &str, blocks: &[Block], inherited: &BTreeSet<String>) -> bool {
    let block = blocks
        .iter()
        .find(|block| change.starts_with(&format!("{} is ", block.address())));
    block
        .filter(|block| block.type_name == "servicenow_user_role")
        .is_some_and(|block| {
            let granted = generator_of(block).expected(&block.config);
            granted.iter().all(|line| inherited.contains(line))
        })
}

/// Whether a line can be due to a change of one of these addresses that was interrupted.
pub(crate) fn is_forgotten(line: &str, interrupted: &BTreeSet<String>) -> bool {
    GENERATORS.iter().any(|generator| {
        let prefix = format!("{}.", generator.type_name());
        interrupted.iter().any(|address| address.starts_with(&prefix)) && generator.is_forgotten_when_killed(line)
    })
}

/// Whether a grant was told as one that was there before, after nobody could say whether it was made: the answer was lost, and
/// the look that followed failed. Then it may be somebody else's, so a destroy keeps it, and the user is told.
pub(crate) fn was_told_as_found(line: &str, said: &str) -> bool {
    let Some((user, role)) = line
        .strip_prefix("sys_user_has_role ")
        .and_then(|grant| grant.split_once(' '))
    else {
        return false;
    };
    said.contains("It is not known whether the insert into sys_user_has_role happened")
        && said.contains(&format!("The user {user} already had the role {role} ("))
}

fn generator_of(block: &Block) -> &'static dyn Generator {
    GENERATORS
        .into_iter()
        .find(|generator| generator.type_name() == block.type_name)
        .expect("a generator")
}

/// Chance, the same for the same seed.
struct Random(StdRng);

impl Random {
    fn chance(&mut self, share: f64) -> bool {
        self.0.random_bool(share)
    }

    fn maybe<T>(&mut self, value: T) -> Option<T> {
        self.chance(0.5).then_some(value)
    }

    /// One of these texts, or none.
    fn text(&mut self, of: &[&'static str]) -> Option<&'static str> {
        let text = self.one(of);
        self.maybe(text)
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.0.random_range(0..of.len())]
    }

    /// Some of these names, as a set; null for none of them.
    fn some(&mut self, of: &[&'static str]) -> Value {
        let names: Vec<&str> = of.iter().copied().filter(|_| self.chance(0.5)).collect();
        if names.is_empty() {
            Value::Null
        } else {
            Value::from(names)
        }
    }

    /// Another text or an empty one, which clears what was there: what is left out stays.
    fn another(&mut self, value: &'static str) -> &'static str {
        self.maybe(value).unwrap_or_default()
    }

    /// Some of these names, or an empty set, which revokes those that were there.
    fn others(&mut self, of: &[&'static str]) -> Value {
        match self.some(of) {
            Value::Null => Value::List(Vec::new()),
            names => names,
        }
    }

    /// A secret that is told from every other text by [`MARKER`]. There are few of each sort, since everything that was
    /// once secret is masked for the life of the process: those of one sort must not hide a leak of another.
    fn secret(&mut self, sort: &str) -> String {
        format!("{MARKER}{sort}-{}", self.0.random_range(0..8))
    }

    /// Gives a secret another value and says so, as far as it is written without a trace.
    fn rotate(&mut self, config: &mut Object, name: &str) {
        let written = format!("{name}_wo");
        let version = format!("{name}_wo_version");
        let number: u32 = config.text(&version).and_then(|text| text.parse().ok()).unwrap_or(0);
        let secret = self.secret(name);
        if config.at(&written).is_null() {
            config.set(name, secret);
        } else {
            config.set(&written, secret);
            config.set(&version, (number + 1).to_string());
        }
    }
}

/// Sets a secret in one of the two ways.
fn with_secret(random: &mut Random, config: Object, name: &str) -> Object {
    let secret = random.secret(name);
    if random.chance(0.7) {
        config
            .with(&format!("{name}_wo"), secret)
            .with(&format!("{name}_wo_version"), "1")
    } else {
        config.with(name, secret)
    }
}

/// The secret of a configuration, whichever way it is given; empty where there is none.
fn secret<'a>(config: &'a Object, name: &str) -> &'a str {
    config
        .text(name)
        .or_else(|| config.text(&format!("{name}_wo")))
        .unwrap_or_default()
}

/// A record's cell in a table of the instance.
fn cell_of(instance: &Instance, table: &str, sys_id: &str, column: &str) -> String {
    let record = instance.record(table, sys_id);
    record
        .and_then(|record| record.get(column).cloned())
        .unwrap_or_else(|| format!("nobody ({sys_id})"))
}

/// A record of the instance.
struct Row(BTreeMap<String, String>);

impl Row {
    /// Empty where there is no such column.
    fn cell(&self, column: &str) -> &str {
        self.0.get(column).map_or("", String::as_str)
    }
}

/// The records of a table, each as a line; none for those that do not count.
fn lines(instance: &Instance, table: &str, line: impl Fn(&Row) -> Option<String>) -> Vec<(String, String)> {
    let rows = instance.records(table).into_iter().map(Row);
    rows.filter_map(|row| Some((format!("{table}/{}", row.cell("sys_id")), line(&row)?)))
        .collect()
}

#[test]
fn every_resource_type_has_a_generator() {
    let generated: BTreeSet<&str> = GENERATORS.iter().map(|generator| generator.type_name()).collect();
    let resources = servicenow_provider::resources::all();
    let provided: BTreeSet<&str> = resources.iter().map(|resource| resource.type_name()).collect();
    assert_eq!(generated, provided);
}

/// What every secret begins with.
pub(crate) const MARKER: &str = "marker-";
