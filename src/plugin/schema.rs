//! Schemas: what a configuration may contain, and what the state contains.
//!
//! A schema is data: the wire form, the plan rules, the validation and the reference pages all follow from it.

mod attribute;
mod internal_validate;
pub mod validate;
mod wire;

pub use attribute::{Attribute, AttributeKind, Modifier, Nesting, Presence, TextEquality};
pub use validate::{Rule, Validator};

use crate::plugin::ty::Type;

/// The schema of a resource, a data source, the provider block or any other object that is configured.
#[derive(Debug)]
pub struct Schema {
    /// The version of the state's shape; a state of another version is upgraded first.
    pub version: i64,
    /// What it is, for the reference pages. Markdown.
    pub description: String,
    pub attributes: Vec<Attribute>,
    /// Rules across attributes.
    pub rules: Vec<Rule>,
    /// What to use instead, if it is deprecated.
    pub deprecated: Option<&'static str>,
    ty: Type,
}

impl Schema {
    /// A schema of version 1.
    pub fn new(description: impl Into<String>, attributes: Vec<Attribute>) -> Self {
        let ty = Attribute::object_type(&attributes);
        Self {
            version: 1,
            description: description.into(),
            attributes,
            rules: Vec::new(),
            deprecated: None,
            ty,
        }
    }

    /// The same schema with another version of the state's shape.
    #[must_use]
    pub fn version(mut self, version: i64) -> Self {
        self.version = version;
        self
    }

    /// The same schema with a rule across attributes.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// The object type that follows from the attributes.
    pub fn ty(&self) -> &Type {
        &self.ty
    }

    /// The top-level attribute of this name.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }
}

/// What names one object of a resource type among all of them, for import and for lists.
#[derive(Debug)]
pub struct IdentitySchema {
    /// The version of the identity's shape.
    pub version: i64,
    pub attributes: Vec<IdentityAttribute>,
}

/// One attribute of an [`IdentitySchema`].
#[derive(Debug)]
pub struct IdentityAttribute {
    /// Its name in the identity.
    pub name: &'static str,
    /// The attribute of the state that it is taken from.
    pub from: &'static str,
    pub description: &'static str,
}

impl IdentitySchema {
    /// An identity of one text attribute, taken from an attribute of the state.
    pub fn of(name: &'static str, from: &'static str, description: &'static str) -> Self {
        Self {
            // What Terraform takes a state without identity for, which any before 1.12 writes.
            version: 0,
            attributes: vec![IdentityAttribute {
                name,
                from,
                description,
            }],
        }
    }

    /// The same identity with one more text attribute.
    #[must_use]
    pub fn and(mut self, name: &'static str, from: &'static str, description: &'static str) -> Self {
        self.attributes.push(IdentityAttribute {
            name,
            from,
            description,
        });
        self
    }

    /// The same identity with another version of its shape. What an older one does not have, the next read gives.
    #[must_use]
    pub fn version(mut self, version: i64) -> Self {
        self.version = version;
        self
    }

    /// The object type of the identity.
    pub fn ty(&self) -> Type {
        Type::object(
            self.attributes
                .iter()
                .map(|attribute| (attribute.name.to_owned(), Type::String)),
        )
    }
}
