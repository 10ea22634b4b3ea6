//! The settings of a table that a story changes, kept in a file until they are as they were: a run that is killed in between puts
//! nothing back itself.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use servicenow_provider::servicenow::tables::{oauth_entity, sys_db_object};
use servicenow_provider::servicenow::{Cell, Column, InputMode, Query, Record, Row, Session, TableError, Update};

use crate::bench::Bench;
use crate::probes::with_causes;

/// The table of the story.
const NAME: &str = oauth_entity::TABLE.name();

const SETTINGS: [Column; 3] = [
    sys_db_object::ACCESS,
    sys_db_object::READ_ACCESS,
    sys_db_object::CALLER_ACCESS,
];

/// What a table had, by column; empty texts where it had none.
pub(crate) struct Kept {
    file: PathBuf,
    values: BTreeMap<String, String>,
}

impl Kept {
    /// Reads the settings and writes them down.
    ///
    /// # Errors
    /// Why it cannot.
    pub(crate) async fn now(bench: &Bench, folder: &Path) -> Result<Self, String> {
        let record = find(&bench.lasting_session()).await?;
        let values = SETTINGS
            .iter()
            .map(|column| (column.name().to_owned(), text(&record, *column)));
        let kept = Self {
            file: file(folder),
            values: values.collect(),
        };
        let content = json!({"instance": bench.instance, "table": NAME, "settings": kept.values});
        fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        fs::write(&kept.file, content.to_string()).map_err(|error| error.to_string())?;
        Ok(kept)
    }

    /// What a killed run has left in the file, for this instance.
    pub(crate) fn of_killed_run(bench: &Bench, folder: &Path) -> Option<Self> {
        let content: Value = serde_json::from_slice(&fs::read(file(folder)).ok()?).ok()?;
        (content["instance"] == bench.instance.as_str()).then(|| Self {
            file: file(folder),
            values: serde_json::from_value(content["settings"].clone()).unwrap_or_default(),
        })
    }

    /// Puts back what differs, and forgets the file. Gives whether something differed.
    ///
    /// # Errors
    /// Why the table is not as it was.
    pub(crate) async fn put_back(&self, bench: &Bench) -> Result<bool, String> {
        let session = bench.lasting_session();
        let record = find(&session).await?;
        let changed = SETTINGS.into_iter().filter_map(|column| {
            let before = self.values.get(column.name())?;
            (text(&record, column) != *before).then_some((column, before))
        });
        let changed: Vec<(Column, &String)> = changed.collect();
        if !changed.is_empty() {
            let row = changed
                .iter()
                .fold(Row::new(), |row, (column, before)| match before.as_str() {
                    "" => row.clear(*column),
                    before => row.set(*column, before),
                });
            let update = Update {
                table: sys_db_object::TABLE,
                sys_id: record.sys_id(),
                row,
                read: &[],
                input: InputMode::Stored,
            };
            session.update(update).await.map_err(failed)?;
        }
        fs::remove_file(&self.file).map_err(|error| error.to_string())?;
        Ok(!changed.is_empty())
    }
}

fn file(folder: &Path) -> PathBuf {
    folder.join("table_settings.json")
}

fn text(record: &Record, column: Column) -> String {
    match record.text(column) {
        Cell::Value(text) => text.to_owned(),
        Cell::Empty | Cell::Hidden => String::new(),
    }
}

async fn find(session: &Session) -> Result<Record, String> {
    let query = Query::equals(sys_db_object::NAME, NAME).map_err(|error| error.to_string())?;
    let found = session.find_unique(sys_db_object::TABLE, &query, &SETTINGS).await;
    found
        .map_err(failed)?
        .ok_or_else(|| format!("the settings of {NAME}: the table is not shown"))
}

fn failed(error: TableError) -> String {
    format!("the settings of {NAME}: {}", with_causes(&error))
}
