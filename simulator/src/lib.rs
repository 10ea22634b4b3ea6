//! The simulator.

pub mod faults;
pub mod instance;
pub mod internet;
