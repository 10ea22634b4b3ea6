//! The settings of a table that a story changes, kept in a file until they are as they were: a run that is killed in between puts
//! nothing back itself. There is a file for each instance, by a hash of its address.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use serde_json::json;
use servicenow_provider::servicenow::tables::{oauth_entity, sys_db_object};
use servicenow_provider::servicenow::{Cell, Column, InputMode, Query, Record, Row, Session, TableError, Update};

use crate::context::RunContext;
use crate::probes::with_causes;

/// The table of the story.
const NAME: &str = oauth_entity::TABLE.name();

const SETTINGS: [Column; 3] = [
    sys_db_object::ACCESS,
    sys_db_object::READ_ACCESS,
    sys_db_object::CALLER_ACCESS,
];

/// What the story sets.
const OF_STORY: [(Column, &str); 2] = [(sys_db_object::ACCESS, "public"), (sys_db_object::READ_ACCESS, "true")];

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
    pub(crate) async fn now(context: &RunContext, folder: &Path) -> Result<Self, String> {
        let record = find(&context.lasting_session()).await?;
        let values = SETTINGS
            .iter()
            .map(|column| (column.name().to_owned(), text(&record, *column)));
        let kept = Self {
            file: file(context, folder),
            values: values.collect(),
        };
        let content = json!(kept.values).to_string();
        fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        fs::write(&kept.file, content).map_err(|error| error.to_string())?;
        Ok(kept)
    }

    /// What a killed run has left in the file of this instance.
    pub(crate) fn of_killed_run(context: &RunContext, folder: &Path) -> Option<Self> {
        let file = file(context, folder);
        let values = serde_json::from_slice(&fs::read(&file).ok()?).ok()?;
        Some(Self { file, values })
    }

    /// Puts back what differs, and forgets the file. Gives what it has put back.
    ///
    /// # Errors
    /// Why the table is not as it was.
    pub(crate) async fn put_back(&self, context: &RunContext) -> Result<Vec<String>, String> {
        self.put_back_where(context, |_, _| true).await
    }

    /// The same for what still is as the story had set it: somebody may have configured the table since.
    ///
    /// # Errors
    /// Why the table is not as it was.
    pub(crate) async fn put_back_of_story(&self, context: &RunContext) -> Result<Vec<String>, String> {
        let is_of_story = |column: Column, now: &str| OF_STORY.contains(&(column, now));
        self.put_back_where(context, is_of_story).await
    }

    async fn put_back_where(
        &self,
        context: &RunContext,
        when: impl Fn(Column, &str) -> bool,
    ) -> Result<Vec<String>, String> {
        let session = context.lasting_session();
        let record = find(&session).await?;
        let mut row = Row::new();
        let mut lines = Vec::new();
        for column in SETTINGS {
            let Some(before) = self.values.get(column.name()) else {
                continue;
            };
            let now = text(&record, column);
            if now == *before || !when(column, &now) {
                continue;
            }
            lines.push(format!("{column} of {NAME}: from {now:?} to {before:?}"));
            row = match before.as_str() {
                "" => row.clear(column),
                before => row.set(column, before),
            };
        }
        if !lines.is_empty() {
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
        Ok(lines)
    }
}

fn file(context: &RunContext, folder: &Path) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    context.instance.hash(&mut hasher);
    folder.join(format!("table_settings_{:016x}.json", hasher.finish()))
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
