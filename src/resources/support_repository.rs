//! `m365_support_repository`: an instance that support cases go to, in the Microsoft 365 admin center.
//!
//! A write replaces the whole repository, and its secrets cannot be read. So every update sends again all secrets that
//! the configuration has, and one that lacks a secret which was sent before is refused.

use async_trait::async_trait;
use serde_json::Value as Json;

use crate::clients::{Calls, Clients};
use crate::microsoft::SupportError;
use crate::microsoft::support::{Repository, RepositorySecrets, same_address};
use crate::plugin::provider::unknown_version;
use crate::plugin::schema::validate;
use crate::plugin::{
    Attribute, BlockType, Context, Diagnostic, Diagnostics, IdentitySchema, Import, ListRequest, ListSink, Listed,
    Need, Object, Outcome, Plan, Reading, Resource, Schema, Value,
};
use crate::records::field::Field;
use crate::records::tenant::{self, TENANT_ID};
use crate::records::write_only_secret::SecretNames;
use crate::records::{diagnostics, duplicate_check, field, import, left_alone, outcome, required_roles};
use crate::text_equality::same_text;

pub(super) struct SupportRepository;

const CLIENT_SECRET: SecretNames = SecretNames::new(["client_secret", "client_secret_wo", "client_secret_wo_version"]);
const PASSWORD: SecretNames = SecretNames::new([
    "rest_user_password",
    "rest_user_password_wo",
    "rest_user_password_wo_version",
]);

/// In messages.
const THE_REPOSITORY: &str = "This repository";

const REPOSITORY_ID: &str = "repository_id";
const ENDPOINT: &str = "endpoint";
const AUTHENTICATION_TYPE: &str = "authentication_type";
const CLIENT_ID: &str = "client_id";
const REST_USER_NAME: &str = "rest_user_name";
const REFRESH_TOKEN_EXPIRY: &str = "refresh_token_expiry";

/// What an import can find a repository by.
const COLUMNS: [&str; 4] = [REPOSITORY_ID, ENDPOINT, CLIENT_ID, REST_USER_NAME];

fn schema() -> Schema {
    let [secret, secret_wo, secret_wo_version] = Attribute::secret(
        CLIENT_SECRET.all(),
        "Secret of `client_id`. It is never read back, and every update sends it again, because the API replaces the \
         whole repository.",
    );
    let [password, password_wo, password_wo_version] = Attribute::secret(
        PASSWORD.all(),
        "Secret or password of `rest_user_name`. It is never read back, and every update sends it again, because the \
         API replaces the whole repository.",
    );
    let text = |name, description: &str| {
        Attribute::text(name)
            .check(field::printable())
            .same_text(same_text)
            .describe(description)
    };
    Schema::new(
        "A repository of the support integration: the ServiceNow instance that support cases of the tenant go to, and the \
         credentials with which Microsoft calls it. In the admin center: Settings > Org settings > Organization profile > \
         Support integration > Repositories. Microsoft has not published this API and announced the service behind it as \
         retired.",
        vec![
            Attribute::text("id").computed().stable().describe("The same as `repository_id`."),
            text(
                REPOSITORY_ID,
                "Id of the repository, unique in the tenant: the one that the set-up wizard in ServiceNow shows.",
            )
            .required()
            .check(validate::not_blank())
            .replaces(),
            tenant::attribute(),
            Attribute::text(ENDPOINT)
                .required()
                .check(validate::url())
                .same_text(same_address)
                .describe("Address of the instance, such as `https://contoso.service-now.com/`."),
            Attribute::text(AUTHENTICATION_TYPE)
                .default("aad")
                .check(validate::one_of(&["aad", "basic"]))
                .describe(
                    "How Microsoft signs in to the instance: `aad` with a token of Entra, `basic` with an OAuth endpoint and \
                     a user of the instance.",
                ),
            text(
                CLIENT_ID,
                "Client id: of the inbound application in Entra for `aad`, of the instance's OAuth endpoint for `basic`. \
                 An empty text clears it, with its secret.",
            )
            .optional_computed(),
            secret,
            secret_wo,
            secret_wo_version,
            text(
                REST_USER_NAME,
                "The caller: the client id of the REST user application for `aad`, the integration user for `basic`. An \
                 empty text clears it, with its secret.",
            )
            .optional_computed(),
            password,
            password_wo,
            password_wo_version,
            Attribute::integer(REFRESH_TOKEN_EXPIRY)
                .optional_computed()
                .check(validate::at_least(0))
                .describe(
                    "Lifetime of the instance's refresh tokens in seconds, for `basic`; the instance's default is 8640000. `0` \
                     clears it.",
                ),
            field::timeouts(),
        ]
        .into_iter()
        .chain(Field::left_alone().attributes)
        .collect(),
    )
    .version(2)
}

/// What is sent for a plan. What is configured as empty is not sent, and a write without it clears it.
fn wanted(planned: &Object) -> Repository {
    let text = |name: &str| planned.text(name).filter(|text| !text.is_empty()).map(str::to_owned);
    Repository {
        repository_id: text(REPOSITORY_ID).unwrap_or_default(),
        endpoint: text(ENDPOINT),
        authentication_type: text(AUTHENTICATION_TYPE),
        client_id: text(CLIENT_ID),
        rest_user_name: text(REST_USER_NAME),
        refresh_token_expiry: planned.integer(REFRESH_TOKEN_EXPIRY).filter(|seconds| *seconds > 0),
    }
}

fn secrets(config: &Object) -> RepositorySecrets {
    RepositorySecrets {
        client_secret: CLIENT_SECRET.configured(config),
        rest_user_password: PASSWORD.configured(config),
    }
}

/// A field's value as the state has it.
fn field(repository: &Repository, attribute: &str) -> Value {
    match attribute {
        REPOSITORY_ID => Value::from(repository.repository_id.as_str()),
        ENDPOINT => repository.endpoint.clone().into(),
        AUTHENTICATION_TYPE => repository.authentication_type.clone().into(),
        CLIENT_ID => repository.client_id.clone().into(),
        REST_USER_NAME => repository.rest_user_name.clone().into(),
        REFRESH_TOKEN_EXPIRY => repository.refresh_token_expiry.into(),
        _ => Value::Null,
    }
}

/// Takes over what the admin center shows. An optional field that was never configured is not managed, except by an import.
fn read_into(repository: &Repository, state: &mut Object, reading: Reading) {
    if !state
        .text("id")
        .is_some_and(|id| same_text(id, &repository.repository_id))
    {
        state.set("id", repository.repository_id.as_str());
    }
    for attribute in [REPOSITORY_ID, ENDPOINT, AUTHENTICATION_TYPE] {
        state.set(attribute, field(repository, attribute));
    }
    for attribute in [CLIENT_ID, REST_USER_NAME, REFRESH_TOKEN_EXPIRY] {
        let found = field(repository, attribute);
        let is_managed = reading == Reading::Import || !state.at(attribute).is_null();
        // What was configured as empty is that, and not nothing.
        let is_empty_as_configured = found.is_null() && is_empty(state, attribute);
        if is_managed && !is_empty_as_configured {
            state.set(attribute, found);
        }
    }
}

/// Whether an argument is configured as empty.
fn is_empty(object: &Object, attribute: &str) -> bool {
    object.text(attribute) == Some("") || object.integer(attribute) == Some(0)
}

impl BlockType for SupportRepository {
    fn type_name(&self) -> &'static str {
        "m365_support_repository"
    }

    fn schema(&self) -> Schema {
        schema()
    }

    fn needs(&self) -> Vec<Need> {
        required_roles::of_admin_center()
    }

    fn validate(&self, config: &Object) -> Diagnostics {
        match config.text(REPOSITORY_ID) {
            // They change the address of the call.
            Some(id @ ("." | "..")) => {
                Diagnostic::error("Invalid value", format!("{id:?} is not a valid repository ID."))
                    .at_attribute(REPOSITORY_ID)
                    .into()
            }
            Some(_) | None => Diagnostics::new(),
        }
    }
}

#[async_trait]
impl Resource<Clients> for SupportRepository {
    fn identity(&self) -> Option<IdentitySchema> {
        let identity = IdentitySchema::of(
            REPOSITORY_ID,
            REPOSITORY_ID,
            "The repository's id, unique in the tenant.",
        );
        Some(
            identity
                .and(TENANT_ID, TENANT_ID, "The tenant's id, a GUID.")
                .version(1),
        )
    }

    async fn plan(&self, _: Option<&Context<Clients>>, plan: &mut Plan<'_>) {
        left_alone::plan(schema().attributes, plan);
        let is_update = plan.prior.is_some_and(|prior| is_written(prior, plan.state)) && plan.replace.is_empty();
        if let (Some(prior), true) = (plan.prior, is_update) {
            plan.diagnostics.append(lost_secrets(prior, plan.state, plan.config));
        }
    }

    async fn create(&self, cx: &Context<Clients>, planned: Object, config: &Object) -> Result<Outcome, Diagnostics> {
        Ok(create(cx, planned, config).await?)
    }

    async fn read(&self, cx: &Context<Clients>, mut state: Object) -> Result<Option<Object>, Diagnostics> {
        let microsoft = cx.microsoft()?;
        let tenant = tenant::of_state(cx, microsoft, &state, THE_REPOSITORY).await?;
        let id = state
            .text("id")
            .or_else(|| state.text(REPOSITORY_ID))
            .unwrap_or_default();
        let found = microsoft.support.find_repository(id, &cx.limits()).await;
        let found = found.map_err(|error| diagnostics::of_support(&error, "read the repository"))?;
        is_the_same(&state, &tenant, found.as_ref())?;
        let Some(repository) = found else { return Ok(None) };
        read_into(&repository, &mut state, cx.reading);
        left_alone::after_read(&schema().attributes, cx.reading, &mut state);
        state.set(TENANT_ID, tenant);
        if cx.reading == Reading::Import {
            CLIENT_SECRET.forget(&mut state);
            PASSWORD.forget(&mut state);
        }
        Ok(Some(state))
    }

    async fn update(
        &self,
        cx: &Context<Clients>,
        prior: &Object,
        planned: Object,
        config: &Object,
    ) -> Result<Outcome, Diagnostics> {
        update(cx, prior, planned, config).await
    }

    fn update_sends_secrets(&self) -> bool {
        true
    }

    async fn delete(&self, cx: &Context<Clients>, state: &Object) -> Result<(), Diagnostics> {
        let microsoft = cx.microsoft()?;
        let Some(id) = state.text("id") else { return Ok(()) };
        let failed = |error: SupportError| diagnostics::of_support(&error, "delete the repository");
        let tenant = tenant::of_state(cx, microsoft, state, THE_REPOSITORY).await?;
        if state.at(TENANT_ID).is_null() {
            let found = microsoft
                .support
                .find_repository(id, &cx.limits())
                .await
                .map_err(failed)?;
            is_the_same(state, &tenant, found.as_ref())?;
        }
        microsoft
            .support
            .delete_repository(id, &cx.limits())
            .await
            .map_err(failed)?;
        Ok(())
    }

    async fn import(&self, cx: &Context<Clients>, target: Import<'_>) -> Result<Object, Diagnostics> {
        let microsoft = cx.microsoft()?;
        let (id, tenant) = match target {
            Import::Identity(identity) => (
                identity.text(REPOSITORY_ID).unwrap_or_default(),
                tenant::of_state(cx, microsoft, identity, THE_REPOSITORY).await?,
            ),
            Import::Id(id) => (id, tenant::of_sign_in(cx, microsoft).await?),
        };
        let all = microsoft.support.repositories(&cx.limits()).await;
        let all = all.map_err(|error| diagnostics::of_support(&error, "find the repository to import"))?;
        let found = meant(id, &all)?;
        Ok(named(&found.repository_id, &tenant))
    }

    /// Version 1 did not know the tenant.
    fn upgrade(&self, version: i64, state: Json) -> Result<Json, Diagnostics> {
        match version {
            1 => Ok(state),
            _ => Err(unknown_version(self.type_name(), version, self.schema().version).into()),
        }
    }

    fn list_schema(&self) -> Option<Schema> {
        Some(Schema::new(
            "Lists the repositories of the provider's tenant.",
            Vec::new(),
        ))
    }

    async fn list(&self, cx: &Context<Clients>, request: &ListRequest, sink: &mut ListSink) -> Result<(), Diagnostics> {
        let microsoft = cx.microsoft()?;
        let tenant = tenant::of_sign_in(cx, microsoft).await?;
        let all = microsoft.support.repositories(&cx.limits()).await;
        for repository in all.map_err(|error| diagnostics::of_support(&error, "list the repositories"))? {
            let id = repository.repository_id.as_str();
            let mut state = named(id, &tenant);
            if request.include_resource {
                read_into(&repository, &mut state, Reading::Import);
                left_alone::after_read(&schema().attributes, Reading::Import, &mut state);
            }
            let display_name = match &repository.endpoint {
                Some(endpoint) => format!("{id} ({endpoint})"),
                None => id.to_owned(),
            };
            let listed = Listed {
                state,
                display_name,
                warnings: Diagnostics::new(),
            };
            if !sink.send(listed).await {
                break;
            }
        }
        Ok(())
    }
}

/// Whether an update changes anything of the repository itself. One of the time limits, say, sends nothing. What is not known
/// yet may turn out to be as before: that is judged when the update is made.
fn is_written(prior: &Object, planned: &Object) -> bool {
    let secrets = [CLIENT_SECRET, PASSWORD].map(SecretNames::all).concat();
    let fields = [
        ENDPOINT,
        AUTHENTICATION_TYPE,
        CLIENT_ID,
        REST_USER_NAME,
        REFRESH_TOKEN_EXPIRY,
    ];
    let mut names = fields.into_iter().chain(secrets);
    names.any(|name| !planned.at(name).is_unknown() && prior.at(name) != planned.at(name))
}

/// An update replaces the repository and so clears a secret that is not configured: an error where one was sent before, a
/// warning where there may be one that was entered manually. What is cleared on purpose goes with what it belongs to.
fn lost_secrets(prior: &Object, planned: &Object, config: &Object) -> Diagnostics {
    let mut problems = Diagnostics::new();
    for (names, of) in [(CLIENT_SECRET, CLIENT_ID), (PASSWORD, REST_USER_NAME)] {
        let [plain, write_only, version] = names.all();
        if names.is_configured(config) || is_empty(planned, of) {
            continue;
        }
        let was_sent = [plain, version].iter().any(|name| !prior.at(name).is_null());
        if was_sent {
            let detail = format!(
                "An update replaces the whole repository, and the {plain} that was sent earlier cannot be read back. The \
                 configuration does not have it, so this update would remove it, and Microsoft's calls to the instance would \
                 fail. Nothing was sent. Set {write_only}; if its value comes from a variable, set the variable. To remove the \
                 secret on purpose, set {of} = \"\". To destroy a repository that also differs from its configuration, use \
                 terraform destroy -refresh=false."
            );
            let problem = Diagnostic::error(format!("The update would remove the {plain}"), detail);
            problems.push(problem.at_attribute(write_only));
        } else if !planned.at(of).is_null() {
            let detail = format!(
                "An update replaces the whole repository, and the secrets in it cannot be read. If there is one for {of} (for \
                 example, entered manually before the import), this update removes it, and Microsoft's calls to the instance \
                 will fail. Set {write_only} to keep it."
            );
            let problem = Diagnostic::warning(format!("The repository may lose its {plain}"), detail);
            problems.push(problem.at_attribute(write_only));
        }
    }
    problems
}

/// What belongs to a secret was entered in the admin center, so the secret probably was too.
fn would_be_lost(names: SecretNames, of: &str, found: &str) -> Diagnostic {
    let [plain, write_only, _] = names.all();
    let detail = format!(
        "The repository has the {of} {found:?}, which is not configured here: somebody entered it in the admin center, probably \
         with a secret. An update replaces the whole repository, and secrets in it cannot be read, so this update would remove \
         it. Nothing was sent. To keep it, set {of} and {write_only}. To remove the secret on purpose, set only {of}: to {found:?}, \
         or to \"\" to remove that too."
    );
    Diagnostic::error(format!("The update would remove the {plain}"), detail).at_attribute(of)
}

/// What a repository is known by.
fn named(id: &str, tenant: &str) -> Object {
    let object = Object::new().with("id", id).with(REPOSITORY_ID, id);
    object.with(TENANT_ID, tenant)
}

/// A state of version 1 names no tenant. Its repository is the one with its id in the tenant of the sign-in where that has
/// its address; any other may be another tenant's.
fn is_the_same(state: &Object, tenant: &str, found: Option<&Repository>) -> Result<(), Diagnostic> {
    if !state.at(TENANT_ID).is_null() {
        return Ok(());
    }
    let known = state.text(ENDPOINT).unwrap_or_default();
    let there = found.and_then(|found| found.endpoint.as_deref());
    if there.is_some_and(|there| same_address(there, known)) {
        return Ok(());
    }
    let there = match (found, there) {
        (None, _) => "has no repository of this id".to_owned(),
        (Some(_), None) => "has a repository of this id without an address".to_owned(),
        (Some(_), Some(there)) => format!("has a repository of this id for {there}"),
    };
    let detail = format!(
        "The state was written by an older version, which did not keep the tenant of a repository. It is for {known}, but \
         the tenant {tenant} of the provider's sign-in {there}, so it may belong to another tenant. Nothing was changed. \
         Sign in to the tenant that it belongs to; or, if that is {tenant} and the repository was changed or removed there, \
         take it out of the state: terraform state rm. One that still exists can then be imported."
    );
    Err(Diagnostic::error("Unknown tenant of the repository", detail).at_attribute(ENDPOINT))
}

async fn create(cx: &Context<Clients>, planned: Object, config: &Object) -> Result<Outcome, Diagnostic> {
    let microsoft = cx.microsoft()?;
    let support = &microsoft.support;
    let planned = planned.with(TENANT_ID, tenant::of_sign_in(cx, microsoft).await?);
    let repository = wanted(&planned);
    let created = support
        .create_repository(&repository, &secrets(config), &cx.limits())
        .await;
    if let Err(error) = created {
        let problem = problem_at(&error, "create the repository");
        return match error {
            // Kept by its id, which was free: the next refresh finds it, or finds that there is none.
            SupportError::Uncertain { repository_id, .. } => Ok(Outcome::Partly(
                planned.with("id", repository_id).with_unknown_as_null(),
                problem.into(),
            )),
            _ => Err(problem),
        };
    }
    // The repository exists from here on: whatever fails below, Terraform must know it.
    let state = planned.with("id", repository.repository_id.as_str());
    cx.keep(&state);
    let (state, problems) = read_back(cx, &repository, state).await;
    Ok(outcome::of(state, outcome::unfinished(problems)))
}

async fn update(
    cx: &Context<Clients>,
    prior: &Object,
    planned: Object,
    config: &Object,
) -> Result<Outcome, Diagnostics> {
    let microsoft = cx.microsoft()?;
    let support = &microsoft.support;
    let doing = "update the repository";
    let tenant = tenant::of_state(cx, microsoft, prior, THE_REPOSITORY).await?;
    let mut repository = wanted(&planned);
    let current = support.find_repository(&repository.repository_id, &cx.limits()).await;
    let current = current.map_err(|error| diagnostics::of_support(&error, doing))?;
    is_the_same(prior, &tenant, current.as_ref())?;
    let planned = planned.with(TENANT_ID, tenant);
    if !is_written(prior, &planned) {
        return Ok(outcome::of(planned, Diagnostics::new()));
    }
    // A secret that was not known when the update was planned may turn out to be null.
    let lost = lost_secrets(prior, &planned, config);
    if lost.has_errors() {
        return Err(lost);
    }
    if let Some(current) = current {
        // What was never configured is not managed, and a write without it would clear it.
        let is_unmanaged = |name: &str| prior.at(name).is_null() && planned.at(name).is_null();
        let beside = [
            (CLIENT_SECRET, CLIENT_ID, &current.client_id),
            (PASSWORD, REST_USER_NAME, &current.rest_user_name),
        ];
        let lost = beside.into_iter().filter_map(|(names, of, found)| {
            let found = found.as_deref().filter(|found| !found.is_empty())?;
            (is_unmanaged(of) && !names.is_configured(config)).then(|| would_be_lost(names, of, found))
        });
        let lost: Diagnostics = lost.collect();
        if lost.has_errors() {
            return Err(lost);
        }
        if is_unmanaged(CLIENT_ID) {
            repository.client_id = current.client_id;
        }
        if is_unmanaged(REST_USER_NAME) {
            repository.rest_user_name = current.rest_user_name;
        }
        if is_unmanaged(REFRESH_TOKEN_EXPIRY) {
            repository.refresh_token_expiry = current.refresh_token_expiry;
        }
    }
    let updated = support
        .update_repository(&repository, &secrets(config), &cx.limits())
        .await;
    updated.map_err(|error| problem_at(&error, doing))?;
    let (state, problems) = read_back(cx, &repository, planned).await;
    Ok(outcome::of(state, problems))
}

/// What became of a write: a field that the admin center did not take is an error at its attribute.
async fn read_back(cx: &Context<Clients>, written: &Repository, mut state: Object) -> (Object, Diagnostics) {
    let mut problems = Diagnostics::new();
    let found = match cx.microsoft() {
        Ok(microsoft) => microsoft.support.read_back(written, &cx.limits()).await,
        Err(problem) => return (state, problem.into()),
    };
    match found {
        Ok(found) => {
            for attribute in written.differences(&found) {
                let shown = field(&found, attribute);
                let shown = shown
                    .as_integer()
                    .map(|number| number.to_string())
                    .or(shown.as_str().map(str::to_owned));
                problems.push(super::support_settings::not_kept(attribute, shown.as_deref()));
            }
            read_into(&found, &mut state, Reading::Refresh);
        }
        Err(error) => problems.push(diagnostics::of_support(&error, "read the repository back")),
    }
    (state, problems)
}

fn problem_at(error: &SupportError, doing: &str) -> Diagnostic {
    if let SupportError::AlreadyExists { repository_id } = error {
        let detail = format!(
            "The tenant already has a repository with the id {repository_id:?}.\n\n{}\n\nOtherwise choose another \
             repository_id. An import cannot read its secrets: the next update sends those of the configuration.",
            duplicate_check::import_it("m365_support_repository", repository_id)
        );
        return Diagnostic::error("The repository already exists", detail).at_attribute(REPOSITORY_ID);
    }
    let diagnostic = diagnostics::of_support(error, doing);
    if matches!(error, SupportError::BadRepositoryId(_)) {
        return diagnostic.at_attribute(REPOSITORY_ID);
    }
    diagnostic
}

/// The repository that an import id means: by its id, else as `column=value`.
fn meant<'a>(id: &str, all: &'a [Repository]) -> Result<&'a Repository, Diagnostic> {
    if let Some(found) = all.iter().find(|repository| repository.repository_id == id) {
        return Ok(found);
    }
    let (column, value) = match id.split_once('=') {
        Some((column, value)) => (column.trim(), value.trim()),
        None => (REPOSITORY_ID, id),
    };
    let column = if column == "id" { REPOSITORY_ID } else { column };
    if !COLUMNS.contains(&column) {
        return Err(import::unknown_column("a repository", column, value, &COLUMNS));
    }
    let is_same = |repository: &&Repository| match field(repository, column).as_str() {
        Some(text) if column == ENDPOINT => same_address(text, value),
        text => text.is_some_and(|text| same_text(text, value)),
    };
    let found: Vec<_> = all.iter().filter(is_same).collect();
    match found.as_slice() {
        [one] => Ok(one),
        [] => {
            let there = match ids(all.iter()) {
                ids if ids.is_empty() => "The tenant has no repository at all.".to_owned(),
                ids => format!("The tenant has: {ids}."),
            };
            let detail = format!("No repository has {column} = {value:?}. {there}");
            Err(Diagnostic::error("Nothing to import", detail))
        }
        several => {
            let ids = ids(several.iter().copied());
            let detail =
                format!("Several repositories have {column} = {value:?}: {ids}. Import one of them by its id.");
            Err(Diagnostic::error("Several objects to import", detail))
        }
    }
}

fn ids<'a>(repositories: impl Iterator<Item = &'a Repository>) -> String {
    repositories
        .map(|it| it.repository_id.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the plan of an update says: nothing where nothing is written.
    #[track_caller]
    fn check(prior: &[(&str, &str)], config: &[(&str, &str)], unknown: Option<&str>, expected: &[&str]) {
        let object = |parts: &[(&str, &str)]| parts.iter().map(|(name, value)| (*name, *value)).collect::<Object>();
        let (prior, mut config) = (object(prior), object(config));
        if let Some(unknown) = unknown {
            config.set(unknown, Value::Unknown);
        }
        let planned = config
            .clone()
            .with("client_secret_wo", Value::Null)
            .with("rest_user_password_wo", Value::Null);
        let said = if is_written(&prior, &planned) {
            lost_secrets(&prior, &planned, &config)
        } else {
            Diagnostics::new()
        };
        let said: Vec<String> = said
            .iter()
            .map(|said| format!("{:?} {}: {}", said.severity, said.path, said.summary))
            .collect();
        assert_eq!(said, expected);
    }

    #[test]
    fn an_update_that_would_lose_a_secret_is_refused_and_nothing_else_is() {
        let would = "Error client_secret_wo: The update would remove the client_secret";
        let may = "Warning client_secret_wo: The repository may lose its client_secret";
        let sent = [("client_id", "a"), ("client_secret_wo_version", "1")];
        let version = ("client_secret_wo_version", "1");
        // No change asks for no secret.
        check(&sent, &sent, None, &[]);
        check(&sent, &[("client_id", "a"), version, ("timeouts", "x")], None, &[]);
        check(&sent, &[("client_id", "b"), version], None, &[would]);
        check(
            &sent,
            &[("client_id", "b"), version, ("client_secret_wo", "s")],
            None,
            &[],
        );
        check(&sent, &[("client_id", "b"), version, ("client_secret", "s")], None, &[]);
        // Leaving it out is not removing it.
        check(&sent, &[("client_id", "a")], None, &[would]);
        check(
            &[("client_id", "a"), ("client_secret", "s")],
            &[("client_id", "a")],
            None,
            &[would],
        );
        check(&sent, &[("client_id", "")], None, &[]);
        // What the apply will know, the apply judges.
        check(&sent, &[("client_id", "b"), version], Some("client_secret_wo"), &[]);
        check(&sent, &[version], Some("client_id"), &[]);
        // Whether there is one that was never sent, nobody knows.
        check(&[("client_id", "a")], &[("client_id", "b")], None, &[may]);
        check(&[("endpoint", "a")], &[("endpoint", "b")], None, &[]);
    }
}
