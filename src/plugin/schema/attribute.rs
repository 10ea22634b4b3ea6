//! One attribute of a schema, written as a chain of what it is.

use crate::plugin::schema::validate::{self, Validator};
use crate::plugin::ty::Type;
use crate::plugin::value::{Value, known_texts};

#[derive(Debug)]
pub struct Attribute {
    /// Its name in HCL.
    pub name: &'static str,
    /// Its type, or the attributes nested in it.
    pub kind: AttributeKind,
    /// Who sets its value: the configuration, the provider, or either.
    pub presence: Presence,
    /// Meaning, unit, where it lives. Markdown.
    pub description: String,
    /// Hidden in Terraform's output; still in the state.
    pub sensitive: bool,
    /// Blanks and line breaks at its ends do not count, since the provider takes them off.
    pub trimmed: bool,
    /// Only in the configuration: neither in plan nor in state. From Terraform 1.11.
    pub write_only: bool,
    /// The value where the configuration has none.
    pub default: Option<Value>,
    /// What to use instead, if it is deprecated.
    pub deprecated: Option<&'static str>,
    pub validators: Vec<Validator>,
    pub modifiers: Vec<Modifier>,
    /// When two texts mean the same, of an attribute that is a text or a list or set of texts. What means the same as
    /// before is no change: see [`Attribute::means_the_same`].
    pub same_text: Option<TextEquality>,
}

/// Whether two texts mean the same to the other side. An equivalence: every text means the same as itself.
pub type TextEquality = fn(&str, &str) -> bool;

/// A type, or nested attributes.
#[derive(Debug)]
pub enum AttributeKind {
    /// A value of a type.
    Plain(Type),
    /// Objects with attributes of their own.
    Nested(Nesting, Vec<Attribute>),
}

/// How nested objects are held.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Nesting {
    Single,
    List,
    /// Objects by key.
    Map,
    Set,
}

/// Who sets a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Presence {
    /// The configuration must set it.
    Required,
    /// The configuration may set it.
    Optional,
    /// Only the provider sets it.
    Computed,
    /// The configuration may, else the provider does.
    OptionalComputed,
}

/// A plan modifier.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Modifier {
    /// What is not known yet stays as it is in the state.
    UseStateForUnknown,
    /// The same, unless the state has nothing.
    UseNonNullStateForUnknown,
    /// A change forces replacement.
    RequiresReplace,
    /// A change forces replacement if the configuration sets the value.
    RequiresReplaceIfConfigured,
}

impl Attribute {
    /// An optional attribute of a type.
    pub fn of(name: &'static str, ty: Type) -> Self {
        Self::new(name, AttributeKind::Plain(ty))
    }

    /// Optional text.
    pub fn text(name: &'static str) -> Self {
        Self::of(name, Type::String)
    }

    /// An optional Boolean.
    pub fn flag(name: &'static str) -> Self {
        Self::of(name, Type::Bool)
    }

    /// An optional whole number.
    pub fn integer(name: &'static str) -> Self {
        Self::of(name, Type::Number).check(validate::whole_number())
    }

    /// An optional set of texts.
    pub fn texts(name: &'static str) -> Self {
        Self::of(name, Type::set(Type::String))
    }

    /// An optional object.
    pub fn single(name: &'static str, attributes: Vec<Attribute>) -> Self {
        Self::new(name, AttributeKind::Nested(Nesting::Single, attributes))
    }

    /// An optional list of objects.
    pub fn list_of(name: &'static str, attributes: Vec<Attribute>) -> Self {
        Self::new(name, AttributeKind::Nested(Nesting::List, attributes))
    }

    /// The three attributes of a secret: `x` (kept in the state), `x_wo` (write-only) and `x_wo_version`, a change of
    /// which sends the write-only value again. A write-only value that is empty counts as none: pipelines pass a secret that
    /// they do not have as empty text, and most plans do not need it.
    pub fn secret(names: [&'static str; 3], description: &str) -> [Self; 3] {
        let [plain, write_only, version] = names;
        [
            Self::text(plain)
                .sensitive()
                .check(validate::not_blank())
                .check(validate::conflicts_with(&[write_only]))
                .describe(format!("{description} Kept in the state in clear: prefer `{write_only}`.")),
            Self::text(write_only)
                .sensitive()
                .write_only()
                .describe(format!(
                    "{description} Write-only: in the configuration alone, never in plan or state. Sent on creation and \
                     whenever `{version}` changes. Needs Terraform 1.11 or later."
                )),
            Self::text(version).describe(format!(
                "Any text; a change of it sends `{write_only}` again, which must be set then. A natural value is the key id of \
                 the secret."
            )),
        ]
    }

    /// The optional object `timeouts` with a duration for each of these operations, and its defaults for the page.
    pub fn timeouts(operations: &[(&'static str, &'static str)]) -> Self {
        let durations = operations.iter().map(|(operation, default)| {
            Self::text(operation).check(validate::duration()).describe(format!(
                "How long to wait for the operation, such as `30s` or `2h45m`. Default `{default}`."
            ))
        });
        Self::single("timeouts", durations.collect()).describe("How long each operation may take, retries included.")
    }

    fn new(name: &'static str, kind: AttributeKind) -> Self {
        Self {
            name,
            kind,
            presence: Presence::Optional,
            description: String::new(),
            sensitive: false,
            trimmed: false,
            write_only: false,
            default: None,
            deprecated: None,
            validators: Vec::new(),
            modifiers: Vec::new(),
            same_text: None,
        }
    }

    #[must_use]
    pub fn required(mut self) -> Self {
        self.presence = Presence::Required;
        self
    }

    #[must_use]
    pub fn computed(mut self) -> Self {
        self.presence = Presence::Computed;
        self
    }

    /// The configuration may give it, else the provider does.
    #[must_use]
    pub fn optional_computed(mut self) -> Self {
        self.presence = Presence::OptionalComputed;
        self
    }

    /// The value where the configuration has none.
    #[must_use]
    pub fn default(mut self, value: impl Into<Value>) -> Self {
        self.presence = Presence::OptionalComputed;
        self.default = Some(value.into());
        self
    }

    /// Markdown.
    #[must_use]
    pub fn describe(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Blanks and line breaks at its ends do not count.
    #[must_use]
    pub fn trimmed(mut self) -> Self {
        self.trimmed = true;
        self
    }

    /// Hidden in Terraform's output.
    #[must_use]
    pub fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// Only in the configuration.
    #[must_use]
    pub fn write_only(mut self) -> Self {
        self.write_only = true;
        self
    }

    /// Deprecated; says what to use instead.
    #[must_use]
    pub fn deprecated(mut self, instead: &'static str) -> Self {
        self.deprecated = Some(instead);
        self
    }

    /// A check of a known value.
    #[must_use]
    pub fn check(mut self, validator: Validator) -> Self {
        self.validators.push(validator);
        self
    }

    /// Plan modifiers.
    #[must_use]
    pub fn plan(mut self, modifier: Modifier) -> Self {
        self.modifiers.push(modifier);
        self
    }

    /// What is not known yet stays as it is in the state.
    #[must_use]
    pub fn stable(self) -> Self {
        self.plan(Modifier::UseStateForUnknown)
    }

    /// A change forces replacement.
    #[must_use]
    pub fn replaces(self) -> Self {
        self.plan(Modifier::RequiresReplace)
    }

    /// When two texts mean the same.
    #[must_use]
    pub fn same_text(mut self, same: TextEquality) -> Self {
        self.same_text = Some(same);
        self
    }

    /// The same attribute as computed only: not configured, validated or planned.
    #[must_use]
    pub fn only_computed(self) -> Self {
        let Self {
            name,
            kind,
            description,
            sensitive,
            ..
        } = self;
        Self {
            description,
            sensitive,
            presence: Presence::Computed,
            ..Self::new(name, kind)
        }
    }

    /// Whether two known values mean the same: they are equal, or [`Attribute::same_text`] says so of each text. A set
    /// means the same as another when its elements can be paired.
    pub fn means_the_same(&self, a: &Value, b: &Value) -> bool {
        let ty = self.ty();
        if Value::same(&ty, a, b) {
            return true;
        }
        let Some(same) = self.same_text else { return false };
        match (ty, a, b) {
            (Type::String, Value::String(a), Value::String(b)) => same(a, b),
            (Type::List(_), Value::List(a), Value::List(b)) => {
                a.len() == b.len()
                    && a.iter().zip(b).all(|(a, b)| match (a.as_str(), b.as_str()) {
                        (Some(a), Some(b)) => a == b || same(a, b),
                        _ => false,
                    })
            }
            (Type::Set(_), Value::List(a), Value::List(b)) => {
                let (Some(a), Some(b)) = (known_texts(a), known_texts(b)) else {
                    return false;
                };
                // What both have is left out, so that only what is spelled differently is compared pair by pair.
                let mut unpaired: Vec<&str> = b.difference(&a).copied().collect();
                let is_paired = |text: &&str| match unpaired.iter().position(|other| same(text, other)) {
                    Some(position) => {
                        unpaired.swap_remove(position);
                        true
                    }
                    None => false,
                };
                a.len() == b.len() && a.difference(&b).all(is_paired)
            }
            _ => false,
        }
    }

    /// Whether the provider may give the value.
    pub fn is_computed(&self) -> bool {
        matches!(self.presence, Presence::Computed | Presence::OptionalComputed)
    }

    /// Whether the configuration may give the value.
    pub fn is_configurable(&self) -> bool {
        self.presence != Presence::Computed
    }

    /// Whether a change forces replacement.
    pub fn is_replacing(&self) -> bool {
        self.modifiers.iter().any(|modifier| {
            matches!(
                modifier,
                Modifier::RequiresReplace | Modifier::RequiresReplaceIfConfigured
            )
        })
    }

    pub fn ty(&self) -> Type {
        match &self.kind {
            AttributeKind::Plain(ty) => ty.clone(),
            AttributeKind::Nested(nesting, attributes) => {
                let object = Self::object_type(attributes);
                match nesting {
                    Nesting::Single => object,
                    Nesting::List => Type::list(object),
                    Nesting::Map => Type::map(object),
                    Nesting::Set => Type::set(object),
                }
            }
        }
    }

    /// The object type of some attributes.
    pub(super) fn object_type(attributes: &[Attribute]) -> Type {
        Type::object(
            attributes
                .iter()
                .map(|attribute| (attribute.name.to_owned(), attribute.ty())),
        )
    }
}
