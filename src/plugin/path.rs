//! Where in a configuration a value stands.

use std::fmt;

use crate::plugin::proto::tfplugin6::{AttributePath, attribute_path};

/// A path to an attribute or element; empty for the whole object.
#[derive(Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Path(Vec<Step>);

/// One step of a [`Path`].
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Step {
    /// Into an object.
    Attribute(String),
    /// Into a map.
    Key(String),
    /// Into a list. A path cannot address an element of a set: name the set.
    Index(i64),
}

impl Path {
    /// The whole object.
    pub fn root() -> Self {
        Self::default()
    }

    /// A top-level attribute, or a nested one written with dots.
    pub fn of(attributes: &str) -> Self {
        Path(
            attributes
                .split('.')
                .map(|name| Step::Attribute(name.to_owned()))
                .collect(),
        )
    }

    /// This path and one step more.
    #[must_use]
    pub fn join(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Path(steps)
    }

    /// Into an attribute of the object that stands here.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Self {
        self.join(Step::Attribute(name.to_owned()))
    }

    /// The steps, outermost first.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    pub fn to_proto(&self) -> AttributePath {
        use attribute_path::step::Selector;
        let steps = self.0.iter().map(|step| attribute_path::Step {
            selector: Some(match step {
                Step::Attribute(name) => Selector::AttributeName(name.clone()),
                Step::Key(key) => Selector::ElementKeyString(key.clone()),
                Step::Index(index) => Selector::ElementKeyInt(*index),
            }),
        });
        AttributePath { steps: steps.collect() }
    }
}

/// Where a walk over a value is. Costs nothing until somebody asks for the [`Path`], which is when something is wrong.
#[derive(Clone, Copy, Debug)]
pub enum Trail<'a> {
    /// At the whole object.
    Root,
    /// One step further.
    Step(&'a Trail<'a>, Stride<'a>),
}

/// One step of a [`Trail`].
#[derive(Clone, Copy, Debug)]
pub enum Stride<'a> {
    /// Into an object.
    Attribute(&'a str),
    /// Into a map.
    Key(&'a str),
    /// Into a list.
    Index(usize),
}

impl<'a> Trail<'a> {
    /// Into an attribute of the object that stands here.
    pub fn attribute(&'a self, name: &'a str) -> Trail<'a> {
        Trail::Step(self, Stride::Attribute(name))
    }

    /// Into an element of the map that stands here.
    pub fn key(&'a self, key: &'a str) -> Trail<'a> {
        Trail::Step(self, Stride::Key(key))
    }

    /// Into an element of the list that stands here.
    pub fn index(&'a self, index: usize) -> Trail<'a> {
        Trail::Step(self, Stride::Index(index))
    }

    pub fn path(&self) -> Path {
        let Trail::Step(parent, stride) = self else {
            return Path::root();
        };
        parent.path().join(match *stride {
            Stride::Attribute(name) => Step::Attribute(name.to_owned()),
            Stride::Key(key) => Step::Key(key.to_owned()),
            Stride::Index(index) => Step::Index(index as i64),
        })
    }
}

impl fmt::Display for Trail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path().fmt(f)
    }
}

/// As in HCL.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Attribute(name) if position == 0 => f.write_str(name)?,
                Step::Attribute(name) => write!(f, ".{name}")?,
                Step::Key(key) => write!(f, "[{key:?}]")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}
