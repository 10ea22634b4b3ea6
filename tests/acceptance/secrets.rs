//! Where secrets may be, and what the log holds.

mod leaks;
mod logs;
mod storage;
