//! Schemas and capabilities.

use std::sync::Arc;

use crate::plugin::diagnostics::Diagnostics;
use crate::plugin::proto::tfplugin6 as proto;
use crate::plugin::provider::{Function, Provider, Signature};
use crate::plugin::server::Shared;
use crate::plugin::server::call::Ended;

/// The server's capabilities, the same in every response.
pub(super) fn capabilities() -> proto::ServerCapabilities {
    proto::ServerCapabilities {
        plan_destroy: true,
        get_provider_schema_optional: true,
        move_resource_state: true,
        generate_resource_config: true,
    }
}

impl<P: Provider> Shared<P> {
    pub(super) fn metadata(&self) -> proto::get_metadata::Response {
        use proto::get_metadata as metadata;
        let list_resources = self.resources.iter().filter(|entry| entry.list_schema().is_some());
        metadata::Response {
            server_capabilities: Some(capabilities()),
            diagnostics: Vec::new(),
            data_sources: self
                .data_sources
                .iter()
                .map(|entry| metadata::DataSourceMetadata {
                    type_name: entry.name().to_owned(),
                })
                .collect(),
            resources: self
                .resources
                .iter()
                .map(|entry| metadata::ResourceMetadata {
                    type_name: entry.name().to_owned(),
                })
                .collect(),
            functions: self
                .functions
                .iter()
                .map(|function| metadata::FunctionMetadata {
                    name: function.name().to_owned(),
                })
                .collect(),
            ephemeral_resources: self
                .ephemeral_resources
                .iter()
                .map(|entry| metadata::EphemeralMetadata {
                    type_name: entry.name().to_owned(),
                })
                .collect(),
            list_resources: list_resources
                .map(|entry| metadata::ListResourceMetadata {
                    type_name: entry.name().to_owned(),
                })
                .collect(),
            state_stores: Vec::new(),
            actions: self
                .actions
                .iter()
                .map(|entry| metadata::ActionMetadata {
                    type_name: entry.name().to_owned(),
                })
                .collect(),
        }
    }

    pub(super) async fn schemas(self: Arc<Self>) -> Ended<proto::get_provider_schema::Response> {
        let response = proto::get_provider_schema::Response {
            provider: Some(self.provider_schema().to_proto()),
            resource_schemas: self
                .resources
                .iter()
                .map(|entry| (entry.name().to_owned(), entry.schema().to_proto()))
                .collect(),
            data_source_schemas: self
                .data_sources
                .iter()
                .map(|entry| (entry.name().to_owned(), entry.schema().to_proto()))
                .collect(),
            functions: self
                .functions
                .iter()
                .map(|function| (function.name().to_owned(), to_proto(function.as_ref())))
                .collect(),
            ephemeral_resource_schemas: self
                .ephemeral_resources
                .iter()
                .map(|entry| (entry.name().to_owned(), entry.schema().to_proto()))
                .collect(),
            list_resource_schemas: self
                .resources
                .iter()
                .filter_map(|entry| Some((entry.name().to_owned(), entry.list_schema()?.to_proto())))
                .collect(),
            action_schemas: self
                .actions
                .iter()
                .map(|entry| {
                    let schema = proto::ActionSchema {
                        schema: Some(entry.schema().to_proto()),
                    };
                    (entry.name().to_owned(), schema)
                })
                .collect(),
            server_capabilities: Some(capabilities()),
            ..Default::default()
        };
        Ok((response, Diagnostics::new()))
    }

    pub(super) async fn identity_schemas(self: Arc<Self>) -> Ended<proto::get_resource_identity_schemas::Response> {
        let identity_schemas = self
            .resources
            .iter()
            .filter_map(|entry| Some((entry.name().to_owned(), entry.identity()?.to_proto())))
            .collect();
        let response = proto::get_resource_identity_schemas::Response {
            identity_schemas,
            diagnostics: Vec::new(),
        };
        Ok((response, Diagnostics::new()))
    }

    pub(super) fn function_signatures(&self) -> proto::get_functions::Response {
        let functions = self
            .functions
            .iter()
            .map(|function| (function.name().to_owned(), to_proto(function.as_ref())))
            .collect();
        proto::get_functions::Response {
            functions,
            diagnostics: Vec::new(),
        }
    }
}

fn to_proto(function: &dyn Function) -> proto::Function {
    let Signature {
        summary,
        description,
        parameters,
        returns,
    } = function.signature();
    let markdown = proto::StringKind::Markdown.into();
    let parameters = parameters.into_iter().map(|parameter| proto::function::Parameter {
        name: parameter.name.to_owned(),
        r#type: parameter.ty.to_bytes(),
        allow_null_value: false,
        allow_unknown_values: false,
        description: parameter.description.to_owned(),
        description_kind: markdown,
    });
    proto::Function {
        parameters: parameters.collect(),
        variadic_parameter: None,
        r#return: Some(proto::function::Return {
            r#type: returns.to_bytes(),
        }),
        summary: summary.to_owned(),
        description: description.to_owned(),
        description_kind: markdown,
        deprecation_message: String::new(),
    }
}
