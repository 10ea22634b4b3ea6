//! Each resource from creation to removal, with the real terraform: create, an empty plan, an update, drift that is repaired,
//! imports, destroy.

use std::collections::BTreeSet;
use std::path::Path;

use futures_util::{StreamExt as _, stream};
use servicenow_provider::servicenow::tables::{
    ip_access, oauth_entity, oauth_oidc_entity, oidc_provider_configuration, sys_choice, sys_properties,
    sys_scope_privilege, sys_user, sys_user_group, sys_user_has_role, sys_user_role,
};
use servicenow_provider::servicenow::{Cell, Column, Row, SysId, Table, TableError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::context::{RunContext, guid, metadata_url};
use crate::probes::with_causes;
use crate::progress::Screen;
use crate::recorder::Recorder;
use crate::report::Private;
use crate::settings::Settings;
use crate::table_settings::Kept;
use crate::terraform::Workspace;

/// One resource, as data. In its texts `$p` is the beginning of the names of the run, `$id` the `sys_id`, and `$text` the
/// text that the update changes.
struct Story {
    /// What `LIVE_ALSO` and `LIVE_ONLY` call it, with or without `servicenow_`.
    name: &'static str,
    /// The type of the resource that is followed.
    resource: &'static str,
    /// Roles of which the account needs one, unless it has `admin`.
    roles: &'static [&'static str],
    /// Whether it runs only where it is asked for by name.
    only_by_name: bool,
    /// `main.tf`; the resource is called `this`.
    configuration: &'static str,
    /// What is changed outside of Terraform; the record is removed where there is no column.
    drift: Drift,
    /// IDs that an import takes.
    imports: &'static [&'static str],
}

enum Drift {
    Changed(Table, Column),
    /// From the table of this name.
    Removed(&'static str),
    /// The record is not the run's own.
    None,
}

const STORIES: [Story; 13] = [
    Story {
        name: "servicenow_integration_user",
        resource: "servicenow_integration_user",
        roles: &["user_admin"],
        only_by_name: false,
        configuration: r#"
resource "servicenow_integration_user" "this" {
  user_name = "$p_story_user"
  last_name = "Live test"
  title     = "$text"
}
"#,
        drift: Drift::Changed(sys_user::TABLE, sys_user::TITLE),
        imports: &["$id", "user_name=$p_story_user"],
    },
    Story {
        name: "servicenow_group",
        resource: "servicenow_group",
        roles: &["user_admin"],
        only_by_name: false,
        configuration: r#"
resource "servicenow_integration_user" "member" {
  user_name = "$p_story_member"
  last_name = "Live test"
}

resource "servicenow_group" "this" {
  name        = "$p_story_group"
  description = "$text"
  members     = [servicenow_integration_user.member.user_name]
}
"#,
        drift: Drift::Changed(sys_user_group::TABLE, sys_user_group::DESCRIPTION),
        imports: &["$id", "name=$p_story_group"],
    },
    Story {
        name: "servicenow_role",
        resource: "servicenow_role",
        roles: &[],
        only_by_name: false,
        configuration: r#"
resource "servicenow_role" "inner" {
  name = "$p_story_inner"
}

resource "servicenow_role" "this" {
  name        = "$p_story_role"
  description = "$text"
  contains    = [servicenow_role.inner.name]
}
"#,
        drift: Drift::Changed(sys_user_role::TABLE, sys_user_role::DESCRIPTION),
        imports: &["$id", "name=$p_story_role"],
    },
    Story {
        name: GRANT,
        resource: GRANT,
        roles: &[],
        only_by_name: false,
        configuration: r#"
resource "servicenow_integration_user" "granted" {
  user_name = "$p_story_granted"
  last_name = "Live test"
}

resource "servicenow_role" "granted" {
  name = "$p_story_granted"
}

resource "servicenow_user_role" "this" {
  user = servicenow_integration_user.granted.user_name
  role = servicenow_role.granted.name
}
"#,
        drift: Drift::Removed(sys_user_has_role::TABLE.name()),
        imports: &["$id", "user=$p_story_granted^role=$p_story_granted"],
    },
    Story {
        name: "servicenow_oauth_entity",
        resource: "servicenow_oauth_entity",
        roles: &["oauth_admin", "mi_admin"],
        only_by_name: false,
        configuration: r#"
resource "servicenow_oauth_entity" "this" {
  name      = "$p_story_outbound"
  client_id = "$guid"
  token_url = "https://login.microsoftonline.com/$guid/oauth2/token"
  comments  = "$text"
}
"#,
        drift: Drift::Changed(oauth_entity::TABLE, oauth_entity::COMMENTS),
        imports: &["$id", "name=$p_story_outbound"],
    },
    Story {
        name: OIDC_PROVIDER,
        resource: OIDC_PROVIDER,
        roles: &["oauth_admin"],
        only_by_name: false,
        configuration: r#"
resource "servicenow_oidc_provider" "this" {
  name      = "$p_story_inbound"
  client_id = "$guid"
  comments  = "$text"

  configuration = {
    name         = "$p_story_configuration"
    metadata_url = "$metadata_url"
    user_claim   = "appid"
    user_field   = "user_name"
  }
}
"#,
        drift: Drift::Changed(oauth_oidc_entity::TABLE, oauth_oidc_entity::COMMENTS),
        imports: &["$id", "name=$p_story_inbound"],
    },
    Story {
        name: OIDC_CONFIGURATION,
        resource: OIDC_CONFIGURATION,
        roles: &["oauth_admin"],
        only_by_name: false,
        configuration: r#"
resource "servicenow_oidc_configuration" "this" {
  name         = "$p_story_shared"
  metadata_url = "$metadata_url"
  user_claim   = "$text"
  user_field   = "user_name"
}
"#,
        drift: Drift::Changed(
            oidc_provider_configuration::TABLE,
            oidc_provider_configuration::USER_CLAIM,
        ),
        imports: &["$id", "name=$p_story_shared"],
    },
    Story {
        // With the data sources that read the record back.
        name: RECORD,
        resource: RECORD,
        roles: &[],
        only_by_name: false,
        configuration: r#"
resource "servicenow_record" "this" {
  table = "sys_properties"

  fields = {
    name        = "$p.story"
    value       = "1"
    description = "$text"
  }
}

data "servicenow_record" "this" {
  table   = "sys_properties"
  id      = servicenow_record.this.id
  columns = ["name", "value"]

  lifecycle {
    postcondition {
      condition     = self.fields == tomap({ name = "$p.story", value = "1" })
      error_message = "The data source servicenow_record reads other values than were written."
    }
  }
}

data "servicenow_records" "this" {
  table   = "sys_properties"
  query   = "sys_id=${servicenow_record.this.id}"
  columns = ["name"]

  lifecycle {
    postcondition {
      condition     = self.records[*].name == tolist(["$p.story"])
      error_message = "The data source servicenow_records does not find the record."
    }
  }
}

data "servicenow_access_report" "this" {
  tables = [{ name = "sys_properties", query = "sys_id=${servicenow_record.this.id}", columns = ["name"] }]

  lifecycle {
    postcondition {
      condition     = self.findings[0].status == "readable"
      error_message = "servicenow_access_report does not find the record readable: ${self.findings[0].detail}"
    }
  }
}
"#,
        drift: Drift::Changed(sys_properties::TABLE, sys_properties::DESCRIPTION),
        imports: &["sys_properties/$id", "sys_properties/name=$p.story"],
    },
    Story {
        // Nothing uses the alias, and the address is nobody's (RFC 2606).
        name: "connection",
        resource: RECORD,
        roles: &[],
        only_by_name: true,
        configuration: r#"
resource "servicenow_oauth_entity" "connection" {
  name      = "$p_story_connection"
  client_id = "$guid"
  token_url = "https://login.example/oauth2/token"
}

resource "servicenow_record" "alias" {
  table       = "sys_alias"
  natural_key = ["name"]

  fields = {
    name            = "$p_story_alias"
    type            = "connection"
    connection_type = "http_connection"
  }
}

resource "servicenow_record" "credential" {
  table       = "oauth_2_0_credentials"
  natural_key = ["name"]

  fields = {
    name                 = "$p_story_credential"
    oauth_entity_profile = servicenow_oauth_entity.connection.default_profile_id
  }
}

resource "servicenow_record" "this" {
  table = "http_connection"

  fields = {
    name             = "$p_story_connection"
    connection_alias = servicenow_record.alias.id
    credential       = servicenow_record.credential.id
    connection_url   = "https://api.example/$text"
  }
}
"#,
        drift: Drift::Removed("http_connection"),
        imports: &["http_connection/$id", "http_connection/name=$p_story_connection"],
    },
    Story {
        // The destroy drops the table. Labels begin with the name of the run, so that a sweep finds what is left.
        name: "custom_table",
        resource: RECORD,
        roles: &[],
        only_by_name: true,
        configuration: r#"
resource "servicenow_record" "table" {
  table           = "sys_db_object"
  natural_key     = ["name"]
  deletion_policy = "delete"

  fields = {
    name  = "u_$p_story"
    label = "$p table"
  }
}

resource "servicenow_record" "column" {
  table           = "sys_dictionary"
  natural_key     = ["name", "element"]
  deletion_policy = "delete"

  fields = {
    name          = servicenow_record.table.fields.name
    element       = "u_tier"
    column_label  = "$p column"
    internal_type = "string"
    max_length    = "40"
    choice        = "1"
  }
}

resource "servicenow_record" "this" {
  table = "sys_choice"

  fields = {
    name    = servicenow_record.table.fields.name
    element = servicenow_record.column.fields.element
    value   = "1"
    label   = "$p $text"
  }
}
"#,
        drift: Drift::Removed(sys_choice::TABLE.name()),
        imports: &["sys_choice/$id", "sys_choice/name=u_$p_story^element=u_tier^value=1"],
    },
    Story {
        name: "servicenow_cross_scope_privilege",
        resource: "servicenow_cross_scope_privilege",
        roles: &[],
        only_by_name: true,
        configuration: r#"
resource "servicenow_cross_scope_privilege" "this" {
  source_scope = "global"
  target_scope = "global"
  target_name  = "$p_story"
  target_type  = "sys_db_object"
  operation    = "read"
  status       = "denied"
}
"#,
        drift: Drift::Removed(sys_scope_privilege::TABLE.name()),
        imports: &["$id", "target_name=$p_story"],
    },
    Story {
        // Addresses that are nobody's (RFC 5737), in a rule that is not active.
        name: "servicenow_ip_access_rule",
        resource: "servicenow_ip_access_rule",
        roles: &[],
        only_by_name: true,
        configuration: r#"
resource "servicenow_ip_access_rule" "this" {
  type        = "allow"
  direction   = "inbound"
  range_start = "192.0.2.77"
  active      = false
  description = "$p $text"
}
"#,
        drift: Drift::Removed(ip_access::TABLE.name()),
        imports: &["$id", "range_start=192.0.2.77"],
    },
    Story {
        // The destroy puts back what was there.
        name: "servicenow_table_access",
        resource: "servicenow_table_access",
        roles: &[],
        only_by_name: true,
        configuration: r#"
resource "servicenow_table_access" "this" {
  table       = "oauth_entity"
  access      = "public"
  read_access = true
}
"#,
        drift: Drift::None,
        imports: &["$id", "table=oauth_entity"],
    },
];

/// What stories are called by.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    STORIES.iter().map(|story| story.name)
}

/// Resources that have no story, and what they would need.
pub(crate) const WITHOUT: [(&str, &str); 2] = [
    (
        "m365_support_settings",
        "The settings are the tenant's only ones: a run writes nothing to a tenant.",
    ),
    (
        "m365_support_repository",
        "The write calls of the admin center are unknown: a run writes nothing to a tenant.",
    ),
];

const GRANT: &str = "servicenow_user_role";
const OIDC_PROVIDER: &str = "servicenow_oidc_provider";
const OIDC_CONFIGURATION: &str = "servicenow_oidc_configuration";
const RECORD: &str = "servicenow_record";

/// What became of a story.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    Passed,
    /// The step that failed, and why.
    Failed(String),
    /// What it would need.
    Skipped(String),
}

/// Why a story did not come to its end.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The step that failed, and why.
    Failed(String),
    /// What it would need.
    Skipped(String),
    Interrupted,
}

impl From<String> for Failure {
    fn from(why: String) -> Self {
        Self::Failed(why)
    }
}

impl From<&str> for Failure {
    fn from(why: &str) -> Self {
        Self::Failed(why.to_owned())
    }
}

impl Verdict {
    pub(crate) fn of(ended: Result<(), Failure>) -> Self {
        match ended {
            Ok(()) => Self::Passed,
            Err(Failure::Failed(why)) => Self::Failed(why),
            Err(Failure::Skipped(why)) => Self::Skipped(why),
            Err(Failure::Interrupted) => Self::Skipped("The run was interrupted.".to_owned()),
        }
    }
}

/// A story that was run, or not.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) story: &'static str,
    pub(crate) verdict: Verdict,
    pub(crate) seconds: f64,
}

/// Which stories a run has, and why not the others.
pub(crate) struct Selection {
    stories: Vec<&'static Story>,
    skipped: Vec<Told>,
}

impl Selection {
    /// By what is asked for and by the roles of the account, where these are known.
    pub(crate) fn of(context: &RunContext) -> Self {
        let (also, only) = (context.settings.also(), context.settings.only());
        let mut selection = Self {
            stories: Vec::new(),
            skipped: Vec::new(),
        };
        for story in &STORIES {
            let short = story.name.trim_start_matches("servicenow_");
            let names = |list: &BTreeSet<&str>| list.contains(short);
            if !only.is_empty() && !names(&only) && !names(&also) {
                continue;
            }
            if story.only_by_name && !names(&also) {
                selection.skip(story, format!("It runs only when it is asked for: LIVE_ALSO={short}."));
            } else if context.roles.is_some() && !context.has_role(story.roles) {
                let needed: Vec<&str> = story.roles.iter().copied().chain(["admin"]).collect();
                selection.skip(story, format!("The account would need {}.", needed.join(" or ")));
            } else {
                selection.stories.push(story);
            }
        }
        selection
    }

    fn skip(&mut self, story: &'static Story, why: String) {
        self.skipped.push(Told {
            story: story.name,
            verdict: Verdict::Skipped(why),
            seconds: 0.0,
        });
    }

    /// Leaves out what the probes have shown to be refused.
    pub(crate) fn without(&mut self, names: &[&str], why: &str, screen: &Screen) {
        let (left_out, kept) = self.stories.iter().partition(|story| names.contains(&story.name));
        self.stories = kept;
        let left_out: Vec<&'static Story> = left_out;
        for story in left_out {
            self.skip(story, why.to_owned());
            self.skipped.last().into_iter().for_each(|told| screen.say(&line(told)));
        }
    }

    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.stories.iter().map(|story| story.name).collect()
    }

    pub(crate) fn skipped(&self) -> &[Told] {
        &self.skipped
    }

    /// Runs the stories, a few at a time. Where the run records, the exchanges of each go to the folder.
    pub(crate) async fn tell(
        self,
        context: &RunContext,
        screen: &Screen,
        cancel: &CancellationToken,
        (folder, private): (&Path, &Private),
    ) -> Vec<Told> {
        let running = self.stories.iter().map(|story| async move {
            let begun = Instant::now();
            let outcome = Box::pin(story.recorded(context, cancel, (folder, private))).await;
            let told = Told {
                story: story.name,
                verdict: Verdict::of(outcome),
                seconds: begun.elapsed().as_secs_f64(),
            };
            screen.say(&line(&told));
            told
        });
        let mut told: Vec<Told> = stream::iter(running).buffer_unordered(AT_A_TIME).collect().await;
        told.sort_by_key(|told| told.story);
        told.extend(self.skipped.iter().cloned());
        told
    }
}

/// The stories that the probes of some facts decide on.
pub(crate) const NEEDS_GRANTS: &[&str] = &[GRANT];
pub(crate) const NEEDS_CONFIGURATIONS: &[&str] = &[OIDC_PROVIDER, OIDC_CONFIGURATION];

pub(crate) fn line(told: &Told) -> String {
    match &told.verdict {
        Verdict::Passed => format!("  passed   {} ({:.0} s)", told.story, told.seconds),
        Verdict::Failed(why) => format!("  FAILED   {} ({:.0} s): {why}", told.story, told.seconds),
        Verdict::Skipped(why) => format!("  skipped  {}: {why}", told.story),
    }
}

impl Story {
    async fn recorded(
        &self,
        context: &RunContext,
        cancel: &CancellationToken,
        (folder, private): (&Path, &Private),
    ) -> Result<(), Failure> {
        let Some(recorder) = Recorder::start(&context.settings, &context.instance).await? else {
            return self.run(context, &context.settings, cancel, folder).await;
        };
        let told = self
            .run(context, &recorder.in_front(&context.settings), cancel, folder)
            .await;
        let about = format!("The story of {}, from creation to removal.", self.name);
        told.and(
            recorder
                .write(folder, self.name, &about, private)
                .map_err(Failure::from),
        )
    }

    async fn run(
        &self,
        context: &RunContext,
        settings: &Settings,
        cancel: &CancellationToken,
        folder: &Path,
    ) -> Result<(), Failure> {
        match self.drift {
            Drift::None => put_back(context, folder, self.lifecycle(context, settings, cancel)).await,
            Drift::Changed(..) | Drift::Removed(_) => self.lifecycle(context, settings, cancel).await,
        }
    }

    async fn lifecycle(
        &self,
        context: &RunContext,
        settings: &Settings,
        cancel: &CancellationToken,
    ) -> Result<(), Failure> {
        let workspace = Workspace::new(settings)?;
        let told = self.steps(context, settings, cancel, &workspace).await;
        // Also after a failure, and after an interruption.
        told.and(workspace.destroyed().await.map_err(Failure::from))
    }

    async fn steps(
        &self,
        context: &RunContext,
        settings: &Settings,
        cancel: &CancellationToken,
        workspace: &Workspace,
    ) -> Result<(), Failure> {
        let address = format!("{}.this", self.resource);
        let go_on = || {
            if cancel.is_cancelled() {
                Err(Failure::Interrupted)
            } else {
                Ok(())
            }
        };
        workspace.configure(&self.text(context, self.configuration, "First"));
        create(context, workspace).await?;
        go_on()?;
        nothing_to_do(workspace, "the plan after create").await?;
        go_on()?;
        let has_update = self.configuration.contains("$text");
        let last = if has_update { "Second" } else { "First" };
        if has_update {
            workspace.configure(&self.text(context, self.configuration, last));
            expect(workspace, "update", &["apply", "-auto-approve"]).await?;
            go_on()?;
        }
        let id = workspace.attribute(&address, "id").ok_or("the state has no id")?;
        let id = self.drift(context, workspace, &address, &id, last).await?;
        go_on()?;
        if matches!(self.drift, Drift::None) {
            // What was there before is in the state alone, so the imports have one of their own, which is never destroyed.
            let other = Workspace::new(settings)?;
            other.configure(&self.text(context, self.configuration, last));
            return self.import_by_each(context, cancel, &other, &id, last).await;
        }
        self.import_by_each(context, cancel, workspace, &id, last).await
    }

    async fn import_by_each(
        &self,
        context: &RunContext,
        cancel: &CancellationToken,
        workspace: &Workspace,
        id: &str,
        text: &str,
    ) -> Result<(), Failure> {
        let address = format!("{}.this", self.resource);
        for import in self.imports {
            let target = self.text(context, import, text).replace("$id", id);
            forget(workspace, &address).await?;
            expect(
                workspace,
                &format!("import by {import}"),
                &["import", &address, &target],
            )
            .await?;
            nothing_to_do(workspace, &format!("the plan after import by {import}")).await?;
            if cancel.is_cancelled() {
                return Err(Failure::Interrupted);
            }
        }
        self.import_by_block(context, workspace, &address, id, text).await
    }

    /// Changes or removes the record outside of Terraform, and has it repaired. Gives the `sys_id` afterwards.
    async fn drift(
        &self,
        context: &RunContext,
        workspace: &Workspace,
        address: &str,
        id: &str,
        configured: &str,
    ) -> Result<String, Failure> {
        let key = SysId::parse(id).map_err(|_| "the id is no sys_id".to_owned())?;
        let failed = |error: TableError| format!("drift: {}", with_causes(&error));
        match self.drift {
            Drift::None => return Ok(id.to_owned()),
            Drift::Changed(table, column) => {
                let row = Row::new().set(column, "Drifted");
                context.change(table, &key, row).await.map_err(failed)?;
                expect(workspace, "repair of drift", &["apply", "-auto-approve"]).await?;
                let record = context.whole(table, &key).await.map_err(failed)?;
                let repaired = record.text(column);
                if repaired.is_hidden() {
                    let why = format!("The account does not see {column} of {table}, which the story changes.");
                    return Err(Failure::Skipped(why));
                }
                if repaired != Cell::Value(configured) {
                    return Err(format!("repair of drift: {column} is not as it is configured").into());
                }
            }
            Drift::Removed(table) => {
                let table = Table::named(table).ok_or("drift: no name of a table")?;
                context.session.delete(table, &key).await.map_err(failed)?;
                expect(workspace, "repair of drift", &["apply", "-auto-approve"]).await?;
            }
        }
        workspace
            .attribute(address, "id")
            .ok_or_else(|| "the state has no id".into())
    }

    /// The third form: a block in the configuration.
    async fn import_by_block(
        &self,
        context: &RunContext,
        workspace: &Workspace,
        address: &str,
        id: &str,
        text: &str,
    ) -> Result<(), Failure> {
        let target = self.text(context, self.imports[0], text).replace("$id", id);
        forget(workspace, address).await?;
        let block = format!("\nimport {{\n  to = {address}\n  id = {target:?}\n}}\n");
        workspace.configure(&format!("{}{block}", self.text(context, self.configuration, text)));
        let run = expect(workspace, "import by a block", &["apply", "-auto-approve"]).await?;
        if !run.contains("1 imported, 0 added, 0 changed, 0 destroyed") {
            return Err("import by a block: it changed something".into());
        }
        Ok(())
    }

    fn text(&self, context: &RunContext, text: &str, changing: &str) -> String {
        let position = STORIES.iter().position(|story| story.name == self.name);
        let number = 32 + u8::try_from(position.unwrap_or_default()).unwrap_or_default();
        text.replace("$text", changing)
            .replace("$guid", &guid(&context.prefix, number))
            .replace("$metadata_url", &metadata_url(&context.prefix, number))
            .replace("$p", &context.prefix)
    }
}

/// Takes the resource out of the state, if it is there.
async fn forget(workspace: &Workspace, address: &str) -> Result<(), Failure> {
    if workspace.attribute(address, "id").is_some() {
        expect(workspace, "state rm", &["state", "rm", address]).await?;
    }
    Ok(())
}

/// Sees to it that the settings of the table are afterwards what they were before.
async fn put_back(
    context: &RunContext,
    folder: &Path,
    story: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    let before = Kept::now(context, folder).await?;
    let told = story.await;
    if !before.put_back(context).await?.is_empty() {
        return told.and(Err(
            "destroy did not put back the settings of the table; the run did".into()
        ));
    }
    told
}

/// The first apply. Where the account may not, the story is skipped.
pub(crate) async fn create(context: &RunContext, workspace: &Workspace) -> Result<(), Failure> {
    match expect(workspace, "create", &["apply", "-auto-approve"]).await {
        Ok(_) => Ok(()),
        // What an administrator is refused is no matter of roles.
        Err(Failure::Failed(why)) if why.contains(NO_RIGHT) && !context.has_role(&[]) => Err(Failure::Skipped(why)),
        Err(failure) => Err(failure),
    }
}

/// How the provider begins where the account may not.
const NO_RIGHT: &str = "Error: No right to";

/// Runs a command, which must succeed. Gives what it printed.
pub(crate) async fn expect(workspace: &Workspace, step: &str, arguments: &[&str]) -> Result<String, Failure> {
    let run = workspace.run(arguments).await;
    if run.succeeded() {
        Ok(run.output)
    } else {
        Err(format!("{step}: {}", run.error()).into())
    }
}

/// Plans, which must find nothing to do.
pub(crate) async fn nothing_to_do(workspace: &Workspace, step: &str) -> Result<(), Failure> {
    let run = workspace.run(&["plan", "-detailed-exitcode"]).await;
    match run.code {
        Some(0) => Ok(()),
        Some(2) => {
            let changes = run.output.lines().filter(|line| {
                let line = line.trim_start();
                // What stands above the plan is about the overrides.
                ["# ", "+ ", "- ", "~ "].iter().any(|mark| line.starts_with(mark)) && !line.contains("/provider")
            });
            let changes: Vec<&str> = changes.map(str::trim).take(8).collect();
            Err(format!("{step} is not empty: {}", changes.join("; ")).into())
        }
        _ => Err(format!("{step}: {}", run.error()).into()),
    }
}

const AT_A_TIME: usize = 3;
