//! How a table declares its columns.

/// Declares the columns of a table and the list `COLUMNS` of those that can be read.
macro_rules! columns {
    ($( $(#[$meta:meta])* $name:ident = $wire:literal $kind:ident $($mark:ident)?; )*) => {
        $(
            $(#[$meta])*
            pub const $name: Column = Column::new($wire, ColumnKind::$kind)$(.$mark())?;
        )*
        /// What a resource reads: every column above.
        pub const COLUMNS: &[Column] = &[$($name),*];
    };
}
pub(super) use columns;
