//! The plan of one resource, which must hold whatever an unknown argument turns out to be.

use crate::plugin::diagnostics::{Diagnostic, Diagnostics};
use crate::plugin::plan::{self, Planned};
use crate::plugin::provider::{Context, Plan, Resource};
use crate::plugin::schema::validate::{self, WriteOnly};
use crate::plugin::schema::{Attribute, AttributeKind, Nesting, Schema};
use crate::plugin::value::{Object, Value};

/// Plans with the schema's rules and then the resource's own.
///
/// An argument that is unknown now may be null when the plan is made again during the apply, and core refuses an answer
/// that contradicts the first. A resource's own rules see "unknown" as "configured" and would have to think of that each
/// time. So the plan is made for the null as well, and what the provider itself gives a value stays open where the two
/// differ.
pub(super) async fn of_resource<D: Send + Sync + 'static>(
    resource: &dyn Resource<D>,
    schema: &Schema,
    cx: Option<&Context<D>>,
    prior: Option<&Object>,
    proposed: Object,
    config: &Object,
) -> (Planned, Diagnostics) {
    let unheard = cx.map(Context::unheard);
    let mut others = Vec::new();
    for (config, proposed) in with_nulls(&schema.attributes, prior, &proposed, config) {
        let is_sound = !validate::configuration(schema, &config, WriteOnly::Allowed).has_errors()
            && !resource.validate(&config).has_errors();
        if is_sound {
            others.push(
                once(resource, schema, unheard.as_ref(), prior, proposed, &config)
                    .await
                    .0,
            );
        }
    }
    let (mut planned, mut diagnostics) = once(resource, schema, cx, prior, proposed, config).await;
    for other in others {
        open(&schema.attributes, &mut planned.state, &other.state, config);
    }
    keep_configured(&schema.attributes, &mut planned.state, config);
    if let (Some(prior), true) = (prior, planned.replace.is_empty()) {
        let is_update = !plan::same_object(&schema.attributes, prior, &planned.state);
        let goes_along = resource.update_sends_secrets();
        if !(goes_along && is_update) {
            diagnostics.extend(unsent(&schema.attributes, prior, config, goes_along));
        }
    }
    let kept = prior.filter(|_| planned.replace.is_empty());
    diagnostics.extend(missing(&schema.attributes, kept, config));
    (planned, diagnostics)
}

async fn once<D: Send + Sync + 'static>(
    resource: &dyn Resource<D>,
    schema: &Schema,
    cx: Option<&Context<D>>,
    prior: Option<&Object>,
    proposed: Object,
    config: &Object,
) -> (Planned, Diagnostics) {
    let mut planned = plan::propose(schema, prior, proposed, config);
    let mut diagnostics = Diagnostics::new();
    let plan = &mut Plan {
        config,
        prior,
        state: &mut planned.state,
        replace: &mut planned.replace,
        diagnostics: &mut diagnostics,
    };
    resource.plan(cx, plan).await;
    planned.replace.sort();
    planned.replace.dedup();
    (planned, diagnostics)
}

/// The configuration and the proposed state with null for every unknown argument, and for each of them alone.
fn with_nulls(
    attributes: &[Attribute],
    prior: Option<&Object>,
    proposed: &Object,
    config: &Object,
) -> Vec<(Object, Object)> {
    let unknown: Vec<&Attribute> = attributes
        .iter()
        .filter(|attribute| config.at(attribute.name).is_unknown())
        .collect();
    let null = |attributes: &[&Attribute]| {
        let (mut config, mut proposed) = (config.clone(), proposed.clone());
        for attribute in attributes {
            config.set(attribute.name, Value::Null);
            let kept = prior.filter(|_| attribute.is_computed());
            proposed.set(
                attribute.name,
                kept.map_or(Value::Null, |prior| prior.at(attribute.name).clone()),
            );
        }
        (config, proposed)
    };
    let mut variants = Vec::new();
    if unknown.len() > 1 {
        variants.push(null(&unknown));
    }
    variants.extend(unknown.iter().map(|attribute| null(&[*attribute])));
    variants
}

/// A warning for each write-only secret that this plan does not send, because it has no version and never had one.
/// `goes_along`: an update for another reason sends it.
fn unsent(attributes: &[Attribute], prior: &Object, config: &Object, goes_along: bool) -> Vec<Diagnostic> {
    let warning = |[plain, name, version]: [&'static str; 3]| {
        let is_unsent = !config.at(name).is_blank()
            && [config, prior].iter().all(|side| side.at(version).is_null())
            && prior.at(plain).is_null();
        is_unsent.then(|| {
            let (title, when) = if goes_along {
                let when = "it is sent with the next update, which a change of it alone is not, since it is in no state";
                (format!("Changes to {name} are not detected"), when.to_owned())
            } else {
                let when = format!("`{name}` is sent again only when `{version}` changes, which is not set");
                (format!("{name} is not sent"), when)
            };
            let detail = format!(
                "The object exists, and {when}. To send it, or to be able to change it later, set `{version}`, for example \
                 to the key id of the secret."
            );
            Diagnostic::warning(title, detail).at_attribute(name)
        })
    };
    secrets(attributes).filter_map(warning).collect()
}

/// The names of the three attributes of each secret: in the state, write-only, and its version.
fn secrets(attributes: &[Attribute]) -> impl Iterator<Item = [&'static str; 3]> {
    let named = |name: &str| attributes.iter().map(|it| it.name).find(|own| *own == name);
    let write_only = attributes.iter().filter(|attribute| attribute.write_only);
    write_only.filter_map(move |attribute| {
        let plain = named(attribute.name.strip_suffix("_wo")?)?;
        let version = named(&format!("{}_version", attribute.name))?;
        Some([plain, attribute.name, version])
    })
}

/// An error for each write-only secret that would have to be sent and is null or empty: for a new object, or because its
/// version changes. For any other plan, a refresh or a destroy the secret is not needed, and may be at hand nowhere.
fn missing(attributes: &[Attribute], kept: Option<&Object>, config: &Object) -> Vec<Diagnostic> {
    let error = |[plain, name, version_name]: [&'static str; 3]| {
        if !config.at(name).is_blank() || !config.at(plain).is_null() {
            return None;
        }
        let is_empty = !config.at(name).is_null();
        let former = kept.map(|kept| kept.text(version_name));
        let (why, otherwise) = match (former, config.text(version_name)) {
            (None, Some(_)) => ("the object is created".to_owned(), format!("remove `{version_name}`")),
            // Without a version it would be sent on creation.
            (None, None) if is_empty => ("the object is created".to_owned(), format!("remove `{name}`")),
            (_, None) => return None,
            (Some(Some(former)), Some(version)) if former == version => return None,
            (Some(Some(former)), Some(version)) => (
                format!("`{version_name}` changes from {former:?} to {version:?}"),
                format!("leave the version at {former:?}"),
            ),
            (Some(None), Some(version)) => (
                format!("`{version_name}` is set to {version:?} for the first time"),
                format!("remove `{version_name}`"),
            ),
        };
        let what = if is_empty { "empty" } else { "null" };
        let detail = format!(
            "`{name}` is {what}, but must be sent, because {why}. Set it, or {otherwise}. Inside a module it comes from one of \
             the module's variables. A destroy needs no secret: use `terraform destroy -refresh=false`."
        );
        Some(
            Diagnostic::error(format!("{name} is missing"), detail)
                .at_attribute(name)
                .told_once(),
        )
    };
    secrets(attributes).filter_map(error).collect()
}

/// Makes unknown what the provider sets and `other` plans differently.
fn open(attributes: &[Attribute], planned: &mut Object, other: &Object, config: &Object) {
    for attribute in attributes {
        let (configured, other) = (config.at(attribute.name), other.at(attribute.name));
        let Some(planned) = planned.0.get_mut(attribute.name) else {
            continue;
        };
        if attribute.is_computed() && configured.is_null() && !Value::same(&attribute.ty(), planned, other) {
            *planned = Value::Unknown;
        } else if let (AttributeKind::Nested(Nesting::Single, nested), Value::Object(planned), Value::Object(other)) =
            (&attribute.kind, planned, other)
        {
            open(nested, planned, other, configured.as_object().unwrap_or(&Object::new()));
        }
    }
}

/// A resource's rules may leave unknown what the provider sets, never what the configuration sets.
fn keep_configured(attributes: &[Attribute], planned: &mut Object, config: &Object) {
    for attribute in attributes {
        let configured = config.at(attribute.name);
        if let Some(planned) = planned.0.get_mut(attribute.name)
            && planned.is_unknown()
            && !configured.is_null()
            && !attribute.write_only
        {
            *planned = configured.clone();
        }
    }
}
