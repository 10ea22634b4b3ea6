//! `servicenow_oidc_provider`: whose tokens the instance accepts (`oauth_oidc_entity`), and how it checks them
//! (`oidc_provider_configuration`).

pub(crate) mod configuration; // The configuration: made for this provider, or adopted.

use async_trait::async_trait;

use crate::clients::{Calls, Clients};
use crate::plugin::schema::validate;
use crate::plugin::{Attribute, Context, Diagnostic, Diagnostics, Object, Outcome, Plan, Rule, Value};
use crate::records::choice::OpenChoice;
use crate::records::diagnostics;
use crate::records::duplicate_check::NaturalKey;
use crate::records::field::{self, Field};
use crate::records::name_set;
use crate::records::outcome;
use crate::records::record_resource::{self, Begun, ManagedRecord, New, NotInserted, RecordResource};
use crate::records::write_only_secret::SecretNames;
use crate::resources::oauth_entity;
use crate::servicenow::tables::oauth_oidc_entity::{
    ACCESS, ACTIVE, CLIENT_ID, CLIENT_SECRET, CLOCK_SKEW, COMMENTS, CONFIGURATION, NAME, REDIRECT_URL, TABLE,
};
use crate::servicenow::tables::{every, oauth_entity_auth_scope_mapping, oidc_provider_configuration};
use crate::servicenow::{Column, InputMode, LinkTable, Session, Table, TableError};

pub(crate) struct OidcProvider;

const CONFIGURATION_ID: &str = "configuration_id";

/// Kept beside the state once a removal has begun.
const REMOVING: &str = "removing";

#[async_trait]
impl RecordResource for OidcProvider {
    const TYPE: &'static str = "servicenow_oidc_provider";
    const TABLE: Table = TABLE;
    const NOUN: &'static str = "OIDC provider";
    const DESCRIPTION: &'static str = "An OIDC provider whose tokens the instance accepts from callers, with the \
                                       configuration that defines how they are checked. Tables `oauth_oidc_entity` \
                                       and `oidc_provider_configuration`. The instance selects the provider by the \
                                       token's issuer and by `client_id` = `aud`, then finds the user by claim and \
                                       field.";
    const LISTS: &'static str = "Lists OIDC providers.";
    const LABEL: Column = NAME;
    /// One provider per client id.
    const KEY: Option<NaturalKey> = Some(NaturalKey {
        columns: &[CLIENT_ID],
        label: NAME,
        why: "With two of them the instance may use the wrong one.",
        otherwise: "delete it, or use another client id",
    });
    const OTHER_TABLES: &'static [Table] = &[
        oidc_provider_configuration::TABLE,
        oauth_entity_auth_scope_mapping::TABLE,
    ];
    const OPEN_CHOICES: &'static [OpenChoice] = &[oauth_entity::SCOPE_RESTRICTIONS];

    fn fields() -> Vec<Field> {
        let name = |name| {
            let attribute = Attribute::text(name).required();
            attribute.check(validate::not_blank()).check(field::key_text())
        };
        vec![
            Field::id(),
            Field::new(NAME, name("name").describe("Name of the entry.")),
            Field::new(
                CLIENT_ID,
                name("client_id").replaces().describe(
                    "Must equal the token's `aud`: the client id of the application that the tokens are issued for, \
                     or its App ID URI if callers request that. In Microsoft's guide the REST API application, not \
                     the REST user.",
                ),
            ),
            Field::secret(
                CLIENT_SECRET,
                SecretNames::new(["client_secret", "client_secret_wo", "client_secret_wo_version"]),
                InputMode::Stored,
                "A secret that the form requires; it is not used to check tokens.",
            ),
            Field::new(
                REDIRECT_URL,
                Attribute::text("redirect_url")
                    .optional_computed()
                    .stable()
                    .describe("Redirect URL; the instance fills in `https://<instance>/oauth_redirect.do`."),
            ),
            Field::new(
                CLOCK_SKEW,
                Attribute::integer("clock_skew")
                    .optional_computed()
                    .check(validate::at_least(0))
                    .stable()
                    .describe("Seconds by which clocks may differ; the instance's default is 300."),
            ),
            Field::new(
                ACTIVE,
                Attribute::flag("active")
                    .default(true)
                    .describe("Whether tokens are accepted."),
            ),
            Field::new(ACCESS, oauth_entity::access()),
            Field::new(COMMENTS, Attribute::text("comments").describe("Free text.")),
            oauth_entity::scope_restriction_status(),
            oauth_entity::auth_scopes(LinkTable::AUTH_SCOPES),
            Field::new(
                CONFIGURATION,
                Attribute::text(CONFIGURATION_ID)
                    .optional_computed()
                    .check(field::sys_id_text())
                    .stable()
                    .describe(
                        "`sys_id` of an existing configuration to use unchanged. Beside `configuration` it can only be that of \
                         the configuration that is already managed, as generated after an import.",
                    ),
            ),
            Field::local(configuration::attribute()),
            Field::local(Attribute::flag(configuration::OWNS).computed().describe(
                "Whether Terraform created the configuration; if so, destroy deletes it too. False for one that existed \
                 and was taken over. Null after an import and for a state written by an older version, because it is \
                 not known then. Unless it is true, the configuration is kept.",
            )),
            Field::application_scope(),
            Field::timeouts(),
        ]
    }

    fn rules() -> Vec<Rule> {
        vec![Rule::AtLeastOneOf(&[configuration::ATTRIBUTE, CONFIGURATION_ID])]
    }

    fn plan(plan: &mut Plan<'_>) {
        if let Err(problem) = configuration::is_one(plan.config, plan.prior) {
            plan.diagnostics.push(problem);
            return;
        }
        configuration::warn(plan);
        configuration::warn_of_removal(plan);
        configuration::plan_owner(plan);
        configuration::plan_unnamed(plan);
        configuration::plan_left_alone(plan);
        if plan.prior.is_some_and(|prior| prior.at("id").is_null()) {
            // Only its configuration is left: the update creates the provider.
            let attributes = Self::fields().into_iter().flat_map(|field| field.attributes);
            for attribute in attributes.filter(Attribute::is_computed) {
                if plan.state.at(attribute.name).is_null() && plan.config.at(attribute.name).is_null() {
                    plan.state.set(attribute.name, Value::Unknown);
                }
            }
        }
        let was_managed = plan.prior.is_none_or(configuration::is_managed);
        if configuration::is_managed(plan.config) && !was_managed {
            // The update makes a configuration of its own.
            plan.state.set(CONFIGURATION_ID, Value::Unknown);
        }
    }

    async fn check_replacement(session: &Session, planned: &Object) -> Result<(), Diagnostic> {
        configuration::exists(session, None, planned).await
    }

    fn warn_of_second_manager(cx: &Context<Clients>, plan: &mut Plan<'_>) {
        configuration::warn_of_second_manager(cx, plan);
    }

    fn tidy_config(config: &mut Object) {
        if configuration::is_managed(config) {
            config.set(CONFIGURATION_ID, Value::Null);
            configuration::omit_usual(config);
        }
    }

    async fn create(
        record: &ManagedRecord<Self>,
        cx: &Context<Clients>,
        planned: Object,
        config: &Object,
    ) -> Result<Outcome, Diagnostics> {
        configuration::is_one(config, None)?;
        let session = cx.instance()?;
        configuration::exists(&session, None, &planned).await?;
        configuration::check(&session, None, &planned).await?;
        let mut new = match record.begin(cx, &planned, config).await? {
            Begun::New(new) => new,
            Begun::TakenOver(outcome) => return Ok(outcome),
        };
        let mut state = planned;
        let mut problems = Diagnostics::new();
        let has_own = configuration::is_managed(&state);
        let wanted = configuration::listed_claims(&state);
        if has_own {
            let application = new.row.value(every::SYS_SCOPE).cloned();
            let made = configuration::create(cx, &new.session, application, &mut state, &mut problems).await;
            if let Err(problem) = made {
                problems.push(problem);
                return if configuration::reference(&state).is_some() {
                    // It may have been made. If so, the next refresh finds it under its key.
                    Ok(Outcome::Partly(state.with_unknown_as_null(), problems))
                } else {
                    Err(problems)
                };
            }
            // It exists from here on, even if its provider does not come to be.
            cx.keep(&state);
            if let Some(problem) = configuration::missing_claims(wanted.as_ref(), &state) {
                problems.push(problem);
                return Ok(outcome::of(state, problems));
            }
            new.set(CONFIGURATION, configuration::reference(&state));
        }
        insert(record, cx, new, state, config, problems).await
    }

    async fn read(
        record: &ManagedRecord<Self>,
        cx: &Context<Clients>,
        state: Object,
    ) -> Result<Option<Object>, Diagnostics> {
        let session = record_resource::instance_to_read(cx)?;
        let Some(found) = record.find(cx, &session, &state).await? else {
            // A create or a removal that was interrupted must not forget the configuration that was made for it.
            let is_interrupted = record_resource::sys_id(&state).is_none() || cx.private(REMOVING).is_some();
            return if is_interrupted {
                configuration::left_over(&session, state).await
            } else {
                Ok(None)
            };
        };
        let former = configuration::reference(&state);
        let mut state = record.read(cx, &session, &found, state).await?;
        configuration::stop_managing(cx, former, &mut state);
        configuration::read_into(cx, &session, &mut state).await?;
        Ok(Some(state))
    }

    async fn update(
        record: &ManagedRecord<Self>,
        cx: &Context<Clients>,
        prior: &Object,
        planned: Object,
        config: &Object,
    ) -> Result<Outcome, Diagnostics> {
        configuration::is_one(config, Some(prior))?;
        if prior.at("id").is_null() {
            return create_around(record, cx, prior, planned, config).await;
        }
        let session = cx.instance()?;
        configuration::exists(&session, Some(prior), &planned).await?;
        configuration::check(&session, Some(prior), &planned).await?;
        // Names that do not exist are found out before anything is written.
        name_set::resolve(&record.name_sets(), &session, Some(prior), &planned).await?;
        let mut planned = planned;
        let mut problems = Diagnostics::new();
        let was_managed = configuration::is_managed(prior);
        if configuration::is_managed(&planned) && was_managed {
            configuration::update(&session, prior, &mut planned, &mut problems).await?;
        } else if configuration::is_managed(&planned) {
            let row = field::row_to_create(&record.fields, &session, &planned).await?;
            let application = row.value(every::SYS_SCOPE).cloned();
            configuration::create(cx, &session, application, &mut planned, &mut problems).await?;
            cx.keep(&planned);
        }
        let changed = planned.text(CONFIGURATION_ID) != prior.text(CONFIGURATION_ID);
        let outcome = match record.update(cx, prior, planned.clone(), config).await {
            Ok(outcome) => configuration::keep_own(outcome, &planned),
            Err(failed) => {
                problems.append(failed);
                // What did happen is the configuration; the rest is as it was.
                let mut kept = prior.clone();
                if configuration::is_managed(&planned) {
                    for part in [configuration::ATTRIBUTE, CONFIGURATION_ID, configuration::OWNS] {
                        kept.set(part, planned.at(part).clone());
                    }
                }
                return Ok(outcome::of(kept, problems));
            }
        };
        if changed && configuration::is_owned(cx, prior) {
            configuration::note_made(cx, prior);
        }
        Ok(remove_unused(cx, &session, outcome, problems).await)
    }

    async fn delete(record: &ManagedRecord<Self>, cx: &Context<Clients>, state: &Object) -> Result<(), Diagnostics> {
        let session = cx.instance()?;
        let failed = |error: TableError| diagnostics::of_table(&error, "delete the OIDC provider");
        let sys_id = record_resource::sys_id(state);
        if let Some(sys_id) = &sys_id {
            record.refuse_while_hidden(&session, sys_id).await.map_err(failed)?;
        }
        configuration::refuse_while_hidden(&session, state).await?;
        configuration::remove_leftover(cx, &session, state).await?;
        let is_owned = configuration::is_owned(cx, state);
        if let Some(sys_id) = sys_id {
            // Noted before the request: if the response is lost, the provider may be deleted and its configuration remain.
            cx.set_private(REMOVING, true.into());
            name_set::revoke_all(&record.name_sets(), cx, &session, &sys_id, state).await?;
            oauth_entity::remove_profiles(&session, &sys_id).await.map_err(failed)?;
            // First the configuration, where the instance allows it: the provider is what a removal that was
            // interrupted, by a kill even, is found again by.
            let is_bare = !is_owned || configuration::remove_first(cx, &session, state).await?;
            session.delete(TABLE, &sys_id).await.map_err(failed)?;
            if is_bare {
                return Ok(());
            }
            // What is left is the configuration.
            let mut left = state.clone();
            left.set("id", Value::Null);
            left.set(oauth_entity::AUTH_SCOPES, Value::Null);
            cx.keep(&left);
        }
        if is_owned {
            configuration::remove(cx, &session, state).await?;
        }
        Ok(())
    }
}

/// Creates the provider of which the configuration alone is there: it was refused after that, or removed manually.
async fn create_around(
    record: &ManagedRecord<OidcProvider>,
    cx: &Context<Clients>,
    prior: &Object,
    planned: Object,
    config: &Object,
) -> Result<Outcome, Diagnostics> {
    let session = cx.instance()?;
    configuration::exists(&session, Some(prior), &planned).await?;
    configuration::check(&session, Some(prior), &planned).await?;
    let mut new = match record.begin(cx, &planned, config).await? {
        Begun::New(new) => new,
        Begun::TakenOver(outcome) => return Ok(outcome),
    };
    let mut state = planned;
    let mut problems = Diagnostics::new();
    if configuration::is_managed(&state) {
        configuration::update(&session, prior, &mut state, &mut problems).await?;
        new.set(CONFIGURATION, configuration::reference(&state));
    } else if configuration::is_owned(cx, prior) {
        configuration::note_made(cx, prior);
    }
    let outcome = insert(record, cx, new, state, config, problems).await?;
    Ok(remove_unused(cx, &session, outcome, Diagnostics::new()).await)
}

/// The outcome, after the configurations are removed that the provider does not use any more.
async fn remove_unused(
    cx: &Context<Clients>,
    session: &Session,
    outcome: Outcome,
    mut problems: Diagnostics,
) -> Outcome {
    let (Outcome::Done(state, _) | Outcome::Partly(state, _)) = &outcome;
    if let Err(error) = configuration::remove_unused(cx, session, state).await {
        problems.push(diagnostics::of_table(&error, "delete the OIDC configuration"));
    }
    outcome::with(outcome, problems)
}

/// Inserts the provider; where that fails, its own configuration is what is left.
async fn insert(
    record: &ManagedRecord<OidcProvider>,
    cx: &Context<Clients>,
    mut new: Box<New>,
    state: Object,
    config: &Object,
    mut problems: Diagnostics,
) -> Result<Outcome, Diagnostics> {
    let own = state.clone();
    match record.insert(cx, &mut new, state, config).await {
        Ok(outcome) => {
            let outcome = configuration::keep_own(outcome, &own);
            Ok(outcome::with(outcome, outcome::unfinished(problems)))
        }
        Err(NotInserted {
            error,
            problem,
            mut state,
            ..
        }) => {
            problems.push(problem);
            if let TableError::Uncertain { ours: Some(sys_id), .. } = &error {
                // Under this key it is found, if it was made; if not, what is left is the configuration.
                state.set("id", sys_id.as_str());
                cx.set_private(REMOVING, true.into());
            } else if !configuration::is_managed(&own) {
                return Err(problems);
            }
            Ok(outcome::of(state, problems))
        }
    }
}
