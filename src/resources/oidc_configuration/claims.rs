//! Claims that a configuration wants a token to have, with their values (`jwt_claim_validation`).
//!
//! That configurations use this table is likely, and the column that refers to one is not known: the instance's dictionary says
//! which it is. Where that cannot be told, nothing is written.

use crate::clients::Clients;
use crate::plugin::schema::validate;
use crate::plugin::{Attribute, Context, Diagnostic, Diagnostics, Object, Type};
use crate::records::child_rows::{Change, Child, ChildRows, Done, Listed, Place, Shape};
use crate::records::diagnostics;
use crate::records::field::{Field, Known};
use crate::servicenow::tables::jwt_claim_validation::{NAME, TABLE, VALUE};
use crate::servicenow::tables::oidc_provider_configuration;
use crate::servicenow::{Session, SysId, TableError};

/// The attribute, in a configuration of its own.
pub(super) const ROWS: ChildRows = ChildRows {
    attribute: "claim_validations",
    shape: Shape::Map,
    added: "added_claim_validations",
    noun: "claim validation",
    path: "claim_validations",
};

/// The attribute, in the block of an OIDC provider.
pub(in crate::resources) const IN_BLOCK: ChildRows = ChildRows {
    path: "configuration.claim_validations",
    ..ROWS
};

/// The attributes.
pub(super) fn fields() -> [Field; 2] {
    let attribute = Attribute::of(ROWS.attribute, Type::map(Type::String)).check(keys()).describe(
        "Claims that a token must have beyond issuer and audience, with their values, such as `{ tid = \"...\" }`. Listed claims \
         are kept, claims removed from the map are removed, others are left unchanged. Table `jwt_claim_validation`; an instance \
         whose table does not refer to OIDC configurations refuses them.",
    );
    ROWS.attributes(attribute).map(Field::local)
}

fn keys() -> validate::Validator {
    validate::Validator::new("", |checked| {
        let names = checked.value.as_object().into_iter().flat_map(Object::iter);
        let blank = names
            .map(|(name, _)| name)
            .find(|name| name.trim().is_empty() || name.trim() != *name);
        blank.map_or(Ok(()), |name| {
            Err(format!(
                "{name:?} is not a valid name of a claim: expected a text without blanks around it."
            ))
        })
    })
}

/// Why it is not known where an instance keeps the claims of configurations.
enum NoPlace {
    /// The dictionary could not be read.
    Error(TableError),
    /// It does not say.
    NotTold(Diagnostic),
}

impl NoPlace {
    fn problem(self) -> Diagnostic {
        match self {
            NoPlace::Error(error) => diagnostics::of_table(&error, "find where the instance keeps claim validations"),
            NoPlace::NotTold(problem) => problem,
        }
    }
}

/// Where an instance keeps the claims of configurations.
async fn place(session: &Session) -> Result<Place, NoPlace> {
    let dictionary = session.dictionary(TABLE).await.map_err(NoPlace::Error)?;
    let configurations = oidc_provider_configuration::TABLE;
    let references = dictionary
        .columns()
        .filter(|column| column.reference == Some(configurations));
    let references: Vec<_> = references.map(|column| column.column).collect();
    if let [parent] = references[..] {
        return Ok(Place {
            table: TABLE,
            parent,
            key: NAME,
            value: VALUE,
        });
    }
    let why = if !references.is_empty() {
        format!(
            "{} columns of {TABLE} refer to {configurations}, and which of them counts is not known",
            references.len()
        )
    } else if dictionary.is_complete() {
        format!("no column of {TABLE} refers to {configurations}, so this release keeps them elsewhere or has none")
    } else {
        let gaps: Vec<String> = dictionary.gaps.iter().map(ToString::to_string).collect();
        format!(
            "which column of {TABLE} refers to {configurations} cannot be told: {}",
            gaps.join(", ")
        )
    };
    let detail = format!(
        "The instance's dictionary does not say where the claim validations of an OIDC configuration are: {why}. Nothing was \
         written. Leave out `claim_validations`, and add them in the form (related list JWT Claim Validations)."
    );
    let problem = Diagnostic::error("Claim validations cannot be managed here", detail);
    Err(NoPlace::NotTold(problem))
}

/// Plans the claims, and a warning about those that stay.
pub(super) fn plan(prior: Option<&Object>, config: &Object, state: &mut Object) -> Option<Diagnostic> {
    ROWS.plan(prior, config, state)
}

/// Finds out whether what is planned can be written, before anything is.
pub(in crate::resources) async fn check(
    session: &Session,
    prior: Option<&Object>,
    planned: &Object,
) -> Result<(), Diagnostic> {
    let listed = ROWS.listed(planned);
    let former = prior.and_then(|prior| ROWS.listed(prior)).unwrap_or_default();
    match listed {
        Some(listed) if listed != former => place(session).await.map(drop).map_err(NoPlace::problem),
        Some(_) | None => Ok(()),
    }
}

/// Makes the claims of a configuration what is planned.
pub(in crate::resources) async fn write(
    session: &Session,
    rows: ChildRows,
    configuration: &SysId,
    (prior, planned): (Option<&Object>, &Object),
    state: &mut Object,
    problems: &mut Diagnostics,
) {
    let (change, mut done) = rows.change(prior, planned);
    if change.is_none() {
        done.listed = change.wanted;
    } else if let Err(problem) = write_each(session, rows, configuration, &change, &mut done).await {
        done.problems.push(problem);
        done.listed = change.former;
        done.is_complete = false;
    }
    rows.settle((prior, planned), done, state, problems);
}

async fn write_each(
    session: &Session,
    rows: ChildRows,
    configuration: &SysId,
    change: &Change,
    done: &mut Done,
) -> Result<(), Diagnostic> {
    let place = place(session).await.map_err(NoPlace::problem)?;
    let expected = change.expected(session.has_made(oidc_provider_configuration::TABLE, configuration));
    let existing = look(session, rows, place, configuration, &expected).await;
    let existing = existing.map_err(|error| not_read(&error))?;
    rows.make(session, place, configuration, &existing, &change.wanted, done)
        .await;
    rows.remove(session, place, &existing, &change.removed, done).await;
    Ok(())
}

/// The claims of a configuration. Looks again where one that is expected is missing: a search can lag behind a write. What
/// either look shows counts.
async fn look(
    session: &Session,
    rows: ChildRows,
    place: Place,
    configuration: &SysId,
    expected: &[&Listed],
) -> Result<Vec<Child>, TableError> {
    let found = rows.rows(session, place, configuration).await?;
    if !expected.iter().any(|expected| rows.lacks(&found, expected)) {
        return Ok(found);
    }
    session.wait_before_recheck().await;
    let again = rows.rows(session, place, configuration).await?;
    Ok(session.either_shows(found, again, |child| &child.sys_id))
}

/// The error that claims are missing after a create: without them the issuer is trusted further than was asked for.
pub(in crate::resources) fn missing(rows: ChildRows, wanted: Option<&Listed>, state: &Object) -> Option<Diagnostic> {
    let there = rows.listed(state).unwrap_or_default();
    let missing: Vec<&str> = wanted?
        .keys()
        .filter(|key| !there.contains_key(*key))
        .map(String::as_str)
        .collect();
    if missing.is_empty() {
        return None;
    }
    let detail = format!(
        "The configuration was created without the claim validations {}: tokens would be accepted whatever these claims say, so \
         nothing that refers to it is created. The cause is in the warning beside this error. Remove it and apply again; the \
         configuration is tainted and created anew, unless `terraform untaint` keeps it.",
        missing.join(", ")
    );
    Some(Diagnostic::error("Claim validations are missing", detail).at_attribute(rows.path))
}

/// Reads the claims that are listed; of a configuration that is new to Terraform all of them, where these can be told.
pub(in crate::resources) async fn read_into(
    session: &Session,
    configuration: &SysId,
    state: &mut Object,
    known: Known,
) -> Result<(), Diagnostic> {
    let is_new = known == Known::Nothing;
    let listed = ROWS.listed(state).unwrap_or_default();
    if !is_new && listed.is_empty() {
        return Ok(());
    }
    let place = match place(session).await {
        Ok(place) => place,
        Err(_) if is_new => return Ok(()),
        Err(reason) => return Err(reason.problem()),
    };
    let expected: &[&Listed] = if is_new { &[] } else { &[&listed] };
    let rows = match look(session, ROWS, place, configuration, expected).await {
        Err(TableError::Refused { .. } | TableError::NoSuchTable { .. } | TableError::Hidden { .. }) if is_new => {
            return Ok(());
        }
        rows => rows.map_err(|error| not_read(&error))?,
    };
    if is_new {
        ROWS.take_over(rows, state);
    } else {
        ROWS.keep_present(&rows, state);
    }
    Ok(())
}

/// Claims that go when their configuration does: rows that refer to a deleted record may remain. They are looked for before the
/// configuration is deleted, while an error still stops everything.
#[derive(Default)]
pub(in crate::resources) struct ToDelete {
    rows: Vec<Child>,
    /// Why they cannot be told.
    unknown: Option<Diagnostic>,
}

impl ToDelete {
    /// The listed claims of a configuration.
    ///
    /// # Errors
    /// What another run may fare better with. Claims that cannot be read stay, and [`ToDelete::remove`] says so.
    pub(in crate::resources) async fn of(
        session: &Session,
        configuration: &SysId,
        state: &Object,
    ) -> Result<Self, Diagnostic> {
        let listed = ROWS.all_of(state);
        if listed.is_empty() {
            return Ok(Self::default());
        }
        let looked = match place(session).await {
            Ok(place) => look(session, ROWS, place, configuration, &[&listed]).await,
            Err(NoPlace::NotTold(problem)) => return Ok(Self::unknown(problem)),
            Err(NoPlace::Error(error)) => Err(error),
        };
        match looked {
            Ok(mut rows) => {
                rows.retain(|row| listed.contains_key(&row.key));
                Ok(Self { rows, unknown: None })
            }
            Err(error) if is_final(&error) => Ok(Self::unknown(not_read(&error))),
            Err(error) => Err(not_read(&error)),
        }
    }

    fn unknown(problem: Diagnostic) -> Self {
        Self {
            rows: Vec::new(),
            unknown: Some(problem),
        }
    }

    /// Deletes them; their configuration is gone. One that the instance keeps is a warning: no further destroy could do more.
    pub(in crate::resources) async fn remove(self, cx: &Context<Clients>, session: &Session) -> Result<(), Diagnostic> {
        if let Some(problem) = self.unknown {
            cx.warn(left(&problem.detail));
        }
        for row in self.rows {
            let doing = format!("remove the claim validation {}", row.key);
            match session.delete(TABLE, &row.sys_id).await {
                Ok(_) => {}
                Err(error) if is_final(&error) => cx.warn(left(&diagnostics::of_table(&error, &doing).detail)),
                Err(error) => return Err(diagnostics::of_table(&error, &doing)),
            }
        }
        Ok(())
    }
}

/// Whether the same request would fail again.
fn is_final(error: &TableError) -> bool {
    error.is_refusal()
        || matches!(
            error,
            TableError::NoSuchTable { .. } | TableError::Hidden { .. } | TableError::Unproven { .. }
        )
}

fn left(cause: &str) -> Diagnostic {
    let detail = format!(
        "The OIDC configuration is deleted, and rows of {TABLE} that refer to it may stay. They check nothing any more; delete \
         them on the instance.\n\n{cause}"
    );
    Diagnostic::warning("Claim validations were left in place", detail)
}

fn not_read(error: &TableError) -> Diagnostic {
    diagnostics::of_table(error, "read the claim validations")
}
