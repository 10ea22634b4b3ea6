//! Functions.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::plugin::proto::tfplugin6 as proto;
use crate::plugin::provider::{FunctionError, Provider};
use crate::plugin::server::call::panic_text;
use crate::plugin::server::{Shared, decode, encode};
use crate::plugin::value::Value;

impl<P: Provider> Shared<P> {
    pub(super) fn call_function(
        self: &Arc<Self>,
        request: &proto::call_function::Request,
    ) -> proto::call_function::Response {
        let result = catch_unwind(AssertUnwindSafe(|| self.evaluate(request))).unwrap_or_else(|panic| {
            let text = format!(
                "The function {} panicked: {}. This is a bug in the provider: please report it.",
                request.name,
                panic_text(panic.as_ref())
            );
            Err(FunctionError { text, argument: None })
        });
        match result {
            Ok(result) => proto::call_function::Response {
                result: Some(result),
                error: None,
            },
            Err(error) => {
                // Terraform ends the text with a full stop of its own.
                let text = error.text.strip_suffix('.').unwrap_or(&error.text);
                let error = proto::FunctionError {
                    text: (self.mask)(text).into_owned(),
                    function_argument: error.argument.map(|argument| argument as i64),
                };
                proto::call_function::Response {
                    result: None,
                    error: Some(error),
                }
            }
        }
    }

    fn evaluate(&self, request: &proto::call_function::Request) -> Result<proto::DynamicValue, FunctionError> {
        let Some(function) = self.functions.iter().find(|function| function.name() == request.name) else {
            let text = format!("This version of the provider has no function {:?}.", request.name);
            return Err(FunctionError { text, argument: None });
        };
        let signature = function.signature();
        if signature.parameters.len() != request.arguments.len() {
            let text = format!(
                "{} takes {} arguments, but got {}.",
                request.name,
                signature.parameters.len(),
                request.arguments.len()
            );
            return Err(FunctionError { text, argument: None });
        }
        let mut arguments = Vec::new();
        for (position, (parameter, argument)) in signature.parameters.iter().zip(&request.arguments).enumerate() {
            let value =
                decode(Some(argument), &parameter.ty).map_err(|problem| FunctionError::at(position, problem.detail))?;
            if value.is_null() {
                return Err(FunctionError::at(
                    position,
                    format!("`{}` must not be null.", parameter.name),
                ));
            }
            if !value.is_wholly_known() {
                return Ok(encode(&Value::Unknown, &signature.returns));
            }
            arguments.push(value);
        }
        Ok(encode(&function.call(&arguments)?, &signature.returns))
    }
}
