//! Servers, processes and disks that fail, and instances that differ: nothing is lost, doubled or wrongly reported.

mod changes_during_apply;
mod concurrent_applies;
mod disk_full;
mod failed_writes;
mod hidden_records;
mod instance_differences;
mod killed_processes;
