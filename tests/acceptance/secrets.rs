//! Where secrets may be, and where they are never found.

mod leaks;
mod storage;
