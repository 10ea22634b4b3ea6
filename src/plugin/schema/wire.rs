//! Schemas as the protocol carries them.

use crate::plugin::proto::tfplugin6 as proto;
use crate::plugin::schema::{Attribute, AttributeKind, IdentitySchema, Nesting, Presence, Schema};
use crate::plugin::ty::Type;

impl Schema {
    pub fn to_proto(&self) -> proto::Schema {
        proto::Schema {
            version: self.version,
            block: Some(proto::schema::Block {
                version: self.version,
                attributes: attributes(&self.attributes),
                block_types: Vec::new(),
                description: self.description.clone(),
                description_kind: proto::StringKind::Markdown.into(),
                deprecated: self.deprecated.is_some(),
                deprecation_message: self.deprecated.unwrap_or_default().to_owned(),
                computed: false,
            }),
        }
    }
}

impl IdentitySchema {
    pub fn to_proto(&self) -> proto::ResourceIdentitySchema {
        let attributes = self
            .attributes
            .iter()
            .map(|attribute| proto::resource_identity_schema::IdentityAttribute {
                name: attribute.name.to_owned(),
                r#type: Type::String.to_bytes(),
                required_for_import: true,
                optional_for_import: false,
                description: attribute.description.to_owned(),
            });
        proto::ResourceIdentitySchema {
            version: self.version,
            identity_attributes: attributes.collect(),
        }
    }
}

/// Sorted by name, so that the same schema is always the same bytes.
fn attributes(attributes: &[Attribute]) -> Vec<proto::schema::Attribute> {
    let mut wire: Vec<_> = attributes.iter().map(attribute).collect();
    wire.sort_by(|a, b| a.name.cmp(&b.name));
    wire
}

fn attribute(attribute: &Attribute) -> proto::schema::Attribute {
    // Never both: Terraform refuses the whole provider.
    let (ty, nested_type) = match &attribute.kind {
        AttributeKind::Plain(ty) => (ty.to_bytes(), None),
        AttributeKind::Nested(nesting, nested) => {
            let nesting = match nesting {
                Nesting::Single => proto::schema::object::NestingMode::Single,
                Nesting::List => proto::schema::object::NestingMode::List,
                Nesting::Map => proto::schema::object::NestingMode::Map,
                Nesting::Set => proto::schema::object::NestingMode::Set,
            };
            let object = proto::schema::Object {
                attributes: attributes(nested),
                nesting: nesting.into(),
                ..Default::default()
            };
            (Vec::new(), Some(object))
        }
    };
    proto::schema::Attribute {
        name: attribute.name.to_owned(),
        r#type: ty,
        nested_type,
        description: attribute.description.clone(),
        description_kind: proto::StringKind::Markdown.into(),
        required: attribute.presence == Presence::Required,
        optional: matches!(attribute.presence, Presence::Optional | Presence::OptionalComputed),
        computed: attribute.is_computed(),
        sensitive: attribute.sensitive,
        write_only: attribute.write_only,
        deprecated: attribute.deprecated.is_some(),
        deprecation_message: attribute.deprecated.unwrap_or_default().to_owned(),
    }
}
