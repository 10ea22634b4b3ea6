//! `servicenow_oidc_configuration`: how the instance checks the tokens of an issuer (`oidc_provider_configuration`), apart from
//! the OIDC providers that use it.
//!
//! The block `configuration` of `servicenow_oidc_provider` makes the same records, from the same fields and after the same
//! looks.

pub(super) mod claims; // Claims that a token must have.

use async_trait::async_trait;

use crate::clients::{Calls, Clients};
use crate::plugin::schema::{Modifier, validate};
use crate::plugin::{Attribute, Context, Diagnostic, Diagnostics, Object, Outcome, Plan};
use crate::records::duplicate_check::{self, Look, NaturalKey};
use crate::records::field::{self, Field};
use crate::records::record_resource::{self, ManagedRecord, RecordResource};
use crate::records::{dependents, diagnostics, outcome};
use crate::servicenow::tables::oidc_provider_configuration::{
    ACTIVE, CACHE_LIFE_SPAN, ENABLE_JTI_VERIFICATION, ISSUER, JTI_CLAIM, NAME, OIDC_URL, TABLE, USER_CLAIM, USER_FIELD,
};
use crate::servicenow::tables::{every, oauth_oidc_entity, oauth_protected_resource_idp_mapping as idp_mapping};
use crate::servicenow::{Cell, Column, KeyLock, Query, Record, Session, SysId, Table, TableError};

pub(crate) struct OidcConfiguration;

/// Whether another configuration may have the same address.
pub(super) const SHARE: &str = "allow_shared_metadata_url";

/// Where the address is given.
pub(super) const METADATA_URL: &str = "metadata_url";

#[async_trait]
impl RecordResource for OidcConfiguration {
    const TYPE: &'static str = "servicenow_oidc_configuration";
    const TABLE: Table = TABLE;
    const NOUN: &'static str = "OIDC configuration";
    const DESCRIPTION: &'static str = "How the instance checks the tokens of an issuer: metadata document, claim and user \
                                       field. Table `oidc_provider_configuration`. For several `servicenow_oidc_provider` \
                                       that share it (`configuration_id`), and for what uses one without an OIDC provider, \
                                       such as the MCP server. A destroy is refused while an OIDC provider or a protected \
                                       resource uses it (`force_destroy`).";
    const LISTS: &'static str = "Lists OIDC configurations.";
    const LABEL: Column = NAME;
    const KEY: Option<NaturalKey> = Some(NaturalKey {
        columns: &[OIDC_URL],
        label: NAME,
        why: "Releases before Zurich refuse a second configuration of a metadata address; later ones may accept it, and which of \
              them then checks a token is not documented.",
        otherwise: "use its sys_id as configuration_id of the OIDC provider, or another metadata address of the same issuer, or \
                    have two on purpose: allow_shared_metadata_url = true",
    });
    const OTHER_TABLES: &'static [Table] = &[oauth_oidc_entity::TABLE];
    const REFUSAL_ADVICE: Option<&'static str> = Some(
        "Some instances allow nobody to create a configuration over the API. Then create it in the form (System OAuth > \
         Application Registry > New > Configure an OIDC provider) and import it. Releases before Zurich refuse a second one of a \
         metadata address, whatever allow_shared_metadata_url says.",
    );
    const REFERRED_BY: Option<&'static str> = Some("id");

    fn fields() -> Vec<Field> {
        let mut all = vec![Field::id()];
        all.extend(fields());
        all.extend([
            Field::application_scope(),
            dependents::force_destroy("What used it then accepts no token of the issuer."),
            Field::timeouts(),
        ]);
        all
    }

    fn key(planned: &Object) -> Option<NaturalKey> {
        let one_of_several = NaturalKey {
            columns: &[OIDC_URL, NAME],
            label: NAME,
            why: "Configurations that share a metadata address are told apart by their names.",
            otherwise: "use another name",
        };
        if shares(planned) {
            Some(one_of_several)
        } else {
            Self::KEY
        }
    }

    fn plan(plan: &mut Plan<'_>) {
        let warning = wrong_claim(plan.state).map(|warning| warning.at_attribute("user_claim"));
        plan.diagnostics.extend(warning);
        plan.diagnostics
            .extend(claims::plan(plan.prior, plan.config, plan.state));
        field::settle(&Self::fields(), plan);
    }

    fn warn_of_second_manager(cx: &Context<Clients>, plan: &mut Plan<'_>) {
        let own = plan.prior.and_then(record_resource::sys_id);
        plan.diagnostics
            .extend(own.and_then(|own| managed_twice(cx, &own, Self::TYPE)));
    }

    async fn users(session: &Session, sys_id: &SysId, _: &Object) -> Result<Vec<String>, TableError> {
        users(session, sys_id, None).await
    }

    async fn after_read(
        cx: &Context<Clients>,
        session: &Session,
        sys_id: &SysId,
        state: &mut Object,
    ) -> Result<(), Diagnostic> {
        claims::read_into(session, sys_id, state, cx.reading.into()).await
    }

    fn loss() -> String {
        "Without the configuration no token of the issuer would be accepted.".to_owned()
    }

    async fn check(session: &Session, prior: Option<&Object>, planned: &Object) -> Result<(), Diagnostic> {
        claims::check(session, prior, planned).await
    }

    async fn write_children(
        session: &Session,
        sys_id: &SysId,
        sides: (Option<&Object>, &Object),
        state: &mut Object,
        problems: &mut Diagnostics,
    ) {
        claims::write(session, claims::ROWS, sys_id, sides, state, problems).await;
    }

    async fn create(
        record: &ManagedRecord<Self>,
        cx: &Context<Clients>,
        planned: Object,
        config: &Object,
    ) -> Result<Outcome, Diagnostics> {
        let wanted = claims::ROWS.listed(&planned);
        let ended = record.create(cx, planned, config).await?;
        let (Outcome::Done(state, _) | Outcome::Partly(state, _)) = &ended;
        let missing = claims::missing(claims::ROWS, wanted.as_ref(), state);
        Ok(outcome::with(ended, missing.into_iter().collect()))
    }

    async fn update(
        record: &ManagedRecord<Self>,
        cx: &Context<Clients>,
        prior: &Object,
        planned: Object,
        config: &Object,
    ) -> Result<Outcome, Diagnostics> {
        let session = cx.instance()?;
        let own = record_resource::require_sys_id(prior)?;
        let moves = planned.text(METADATA_URL) != prior.text(METADATA_URL) && !shares(&planned);
        // Says more than the refusal of any record's update.
        let lock = if moves {
            let lock = refuse_second(&session, &own, &planned).await;
            Some(lock.map_err(|problem| problem.at_attribute(METADATA_URL))?)
        } else {
            None
        };
        record.update_locked(cx, prior, planned, config, lock).await
    }

    async fn delete(record: &ManagedRecord<Self>, cx: &Context<Clients>, state: &Object) -> Result<(), Diagnostics> {
        let session = cx.instance()?;
        let to_delete = match record_resource::sys_id(state) {
            Some(sys_id) => claims::ToDelete::of(&session, &sys_id, state).await?,
            None => claims::ToDelete::default(),
        };
        record.delete(cx, state).await?;
        Ok(to_delete.remove(cx, &session).await?)
    }
}

/// Refuses an address that another configuration has. Nobody of this process makes one of it until the lock is dropped.
async fn refuse_second(session: &Session, own: &SysId, planned: &Object) -> Result<KeyLock, Diagnostic> {
    let lock = lock(session, planned).await?;
    let Some(other) = find(session, &key(planned)?, planned, Some(own), &lock).await? else {
        return Ok(lock);
    };
    let remedy = format!(
        "Keep the former address, use another one of the same issuer (for Entra the one of the other token version), or use that \
         configuration in place of this one. {}",
        duplicate_check::import_it(OidcConfiguration::TYPE, other.sys_id().as_str())
    );
    Err(already_configured(&other, planned, &remedy))
}

/// The attributes of a configuration.
pub(crate) fn fields() -> Vec<Field> {
    let mut all = vec![
        Field::new(
            NAME,
            Attribute::text("name").required().check(validate::not_blank()).describe("Name of the configuration."),
        ),
        Field::new(
            OIDC_URL,
            Attribute::text(METADATA_URL).required().check(validate::url()).check(field::key_text()).describe(
                "Address of the issuer's metadata document. It must match the version of the tokens: without `/v2.0` for \
                 Entra's version 1 tokens, with it for version 2.",
            ),
        ),
        Field::local(Attribute::flag(SHARE).describe(
            "Whether this configuration may have a metadata address that another one has. From Zurich on an instance \
             accepts that (for single sign-on by its documentation); which of them checks a token that fits several is \
             not documented. Older releases refuse it.",
        )),
        Field::new(
            USER_CLAIM,
            Attribute::text("user_claim").default("appid").check(validate::not_blank()).describe(
                "Claim that names the user. `appid` is the calling application in version 1 tokens, `azp` in version 2; \
                 `sub` and `oid` are its service principal in both.",
            ),
        ),
        Field::new(
            USER_FIELD,
            Attribute::text("user_field")
                .default("user_name")
                .check(validate::not_blank())
                .check(user_field())
                .describe(
                    "Column of `sys_user` that the claim is compared with; the form's \"User ID\" is `user_name`.",
                ),
        ),
        Field::new(
            ENABLE_JTI_VERIFICATION,
            Attribute::flag("enable_jti_verification").default(false).describe(
                "Whether each token may be used for one call only. The instance's own default is on, and Entra's tokens \
                 are used for many calls: so it is always sent, and off unless the configuration says otherwise.",
            ),
        ),
        Field::new(
            CACHE_LIFE_SPAN,
            // Stable only where there was a configuration before: without one the instance chooses.
            Attribute::integer("cache_life_span")
                .optional_computed()
                .check(validate::between(0, 720))
                .plan(Modifier::UseNonNullStateForUnknown)
                .describe("Hours for which the metadata document is cached, 720 at most; Microsoft's pages use 120."),
        ),
        Field::new(
            JTI_CLAIM,
            Attribute::text("jti_claim").describe(
                "Claim with the id of a token, for `enable_jti_verification`; the instance's default is `jti`. Entra's tokens \
                 have `uti`. From Zurich on.",
            ),
        )
        .usually(&["jti"])
        .where_there_is_one(),
        Field::new(
            ISSUER,
            Attribute::text("issuer_url").check(validate::or_empty(validate::url())).describe(
                "Issuer that a token must name (`iss`); that of the metadata document if it is omitted. From Brazil on.",
            ),
        )
        .where_there_is_one(),
        Field::new(
            ACTIVE,
            Attribute::flag("active").describe(
                "Whether tokens of the issuer are accepted; the instance's default is true. From Brazil on: earlier releases \
                 know no inactive configuration.",
            ),
        )
        .usually(&["true"])
        .where_there_is_one(),
    ];
    all.extend(claims::fields());
    all
}

fn user_field() -> validate::Validator {
    validate::Validator::text("", |text| {
        if text == "user_id" {
            Err(
                "The column behind the form's \"User ID\" is `user_name`; there is no `user_id`. Use \"user_name\"."
                    .into(),
            )
        } else {
            Ok(())
        }
    })
}

/// A warning of a claim that tokens of the metadata document's version do not carry.
pub(super) fn wrong_claim(configuration: &Object) -> Option<Diagnostic> {
    let (url, claim) = (configuration.text(METADATA_URL)?, configuration.text("user_claim")?);
    let is_v2 = url.contains("/v2.0");
    let (version, other) = match (claim, is_v2) {
        ("appid", true) => ("2.0", "azp"),
        ("azp", false) => ("1.0", "appid"),
        _ => return None,
    };
    let detail = format!(
        "The metadata address is that of version {version} tokens, which have no claim {claim:?}: every call would \
         fail with 401. Use the claim {other:?}, or the other metadata address. The version of the tokens is that of \
         the audience application: requestedAccessTokenVersion null or 1 means 1.0, 2 means 2.0."
    );
    Some(Diagnostic::warning("The claim is not in these tokens", detail))
}

/// A warning where a resource and the block of an OIDC provider manage the same configuration: an import by `terraform query` of
/// both generates both.
pub(super) fn managed_twice(cx: &Context<Clients>, sys_id: &SysId, manager: &'static str) -> Option<Diagnostic> {
    if !cx.data.link_managers.is_second(TABLE, sys_id, "", manager) {
        return None;
    }
    let detail = format!(
        "The OIDC configuration {sys_id} is in the block `configuration` of a servicenow_oidc_provider and in a resource of its \
         own. Keep it in one: replace the block with `configuration_id`, which refers to the resource, or remove the resource \
         with a `removed` block that destroys nothing. Until then a destroy of the provider deletes the configuration too, where \
         `owns_configuration` is true."
    );
    Some(Diagnostic::warning("The OIDC configuration is managed twice", detail))
}

/// Whether the configuration may have an address that another one has.
pub(super) fn shares(planned: &Object) -> bool {
    planned.flag(SHARE) == Some(true)
}

/// Waits until nobody else of this process looks for a configuration of the address or makes one.
pub(super) async fn lock(session: &Session, planned: &Object) -> Result<KeyLock, Diagnostic> {
    let address = Query::equals(OIDC_URL, planned.text(METADATA_URL).unwrap_or_default().trim());
    let address = address.map_err(TableError::of_query(TABLE));
    let lock = match address {
        Ok(address) => session.lock_key(TABLE, address).await,
        Err(error) => Err(error),
    };
    lock.map_err(|error| diagnostics::of_table(&error, "look for the OIDC configuration"))
}

/// What there is one configuration of: the address; where that is shared, the address and the name.
pub(super) fn key(planned: &Object) -> Result<Query, Diagnostic> {
    let text = |name| planned.text(name).unwrap_or_default();
    let key = Query::equals(OIDC_URL, text(METADATA_URL).trim());
    let key = if shares(planned) {
        key.and_then(|key| Ok(key.and(Query::equals(NAME, text("name"))?)))
    } else {
        key
    };
    key.map_err(|error| diagnostics::of_query(&error, "look for the OIDC configuration"))
}

/// A configuration of this key, other than the `own` one, whether or not a search shows it yet.
pub(super) async fn find(
    session: &Session,
    key: &Query,
    planned: &Object,
    own: Option<&SysId>,
    lock: &KeyLock,
) -> Result<Option<Record>, Diagnostic> {
    let problem =
        |error: TableError| diagnostics::of_table(&error, "look for a configuration of this metadata address");
    let columns = [field::columns(&fields()), vec![every::SYS_CREATED_BY]].concat();
    let look = Look {
        own,
        // Of two that share an address, neither is in the other's way.
        lock: (!shares(planned)).then_some(lock),
        recheck: true,
    };
    look.find(session, (TABLE, key), &columns).await.map_err(problem)
}

/// The refusal of a second configuration of an address.
pub(super) fn already_configured(other: &Record, planned: &Object, remedy: &str) -> Diagnostic {
    let name = other.text(NAME).value().unwrap_or("nothing");
    let opt_in = if shares(planned) {
        String::new()
    } else {
        format!("\n\nTo have two configurations of one address nevertheless, on Zurich or later, set {SHARE} = true.")
    };
    let detail = format!(
        "The configuration {name} ({}) already has this metadata address. Releases before Zurich refuse a second one; \
         later ones may accept it, and which of them then checks a token is not documented.\n\n{remedy}{opt_in}",
        other.sys_id()
    );
    Diagnostic::error("The metadata address is already configured", detail)
}

/// What uses a configuration, in words: OIDC providers, other than one that is left aside, or else a protected resource.
pub(super) async fn users(session: &Session, sys_id: &SysId, aside: Option<&SysId>) -> Result<Vec<String>, TableError> {
    let providers = Query::equals(oauth_oidc_entity::CONFIGURATION, sys_id.as_str())
        .map_err(TableError::of_query(oauth_oidc_entity::TABLE))?;
    let providers = session
        .select(oauth_oidc_entity::TABLE, &providers, &[oauth_oidc_entity::NAME])
        .await?;
    let providers = providers.iter().filter(|provider| Some(provider.sys_id()) != aside);
    let names: Vec<&str> = providers
        .map(|provider| {
            let name = provider.text(oauth_oidc_entity::NAME).value();
            name.unwrap_or_else(|| provider.sys_id().as_str())
        })
        .collect();
    if !names.is_empty() {
        return Ok(vec![format!("used by the OIDC provider {}", names.join(", "))]);
    }
    let mappings = session
        .select(idp_mapping::TABLE, &Query::every_row(), idp_mapping::CONFIGURATIONS)
        .await;
    let table = idp_mapping::TABLE;
    match mappings {
        Ok(mappings) => {
            for mapping in mappings {
                let columns = idp_mapping::CONFIGURATIONS.iter();
                let is_using = refers_to(columns.map(|column| mapping.reference(*column)), sys_id)
                    // Its name may be one that nobody knows.
                    || session
                        .get_whole(table, mapping.sys_id())
                        .await?
                        .is_some_and(|mapping| mapping.refers_to(sys_id));
                if is_using {
                    return Ok(vec![format!(
                        "used by a protected resource ({table} {})",
                        mapping.sys_id()
                    )]);
                }
            }
            Ok(Vec::new())
        }
        // Releases before Zurich patch 10.
        Err(TableError::NoSuchTable { .. }) => Ok(Vec::new()),
        Err(TableError::Refused { .. } | TableError::Hidden { .. }) => Ok(vec![format!(
            "perhaps used by a protected resource: the account may not read every row of {table}"
        )]),
        Err(error) => Err(error),
    }
}

/// Whether a mapping refers to a configuration, by its references. Which of them does is not known: one that shows none of them
/// may.
fn refers_to<'a>(references: impl Iterator<Item = Cell<&'a str>>, sys_id: &SysId) -> bool {
    let mut are_hidden = true;
    for reference in references {
        match reference {
            Cell::Value(id) if sys_id.as_str().eq_ignore_ascii_case(id) => return true,
            Cell::Value(_) | Cell::Empty => are_hidden = false,
            Cell::Hidden => {}
        }
    }
    are_hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_that_hides_every_reference_may_refer_to_any_configuration() {
        let id = "0123456789abcdef0123456789abcdef";
        let in_capitals = id.to_uppercase();
        let other = "f".repeat(32);
        for (references, expected) in [
            (vec![Cell::Value(id), Cell::Hidden], true),
            (vec![Cell::Value(&*other), Cell::Value(&*in_capitals)], true),
            (vec![Cell::Value(&*other), Cell::Empty], false),
            (vec![Cell::Hidden, Cell::Value(&*other)], false),
            (vec![Cell::Hidden, Cell::Empty], false),
            (vec![Cell::Hidden, Cell::Hidden], true),
        ] {
            let refers = refers_to(references.iter().cloned(), &SysId::parse(id).unwrap());

            assert_eq!(refers, expected, "{references:?}");
        }
    }
}
