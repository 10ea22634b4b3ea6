//! An id for the run that this process belongs to.
//!
//! Terraform starts the provider several times in one command, and an id is of use only when all of them send the same.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The id of this command where the system tells processes apart for good (Linux), else of this process.
pub(super) fn random() -> String {
    let number = of_parent().unwrap_or_else(rand::random::<u64>);
    format!("terraform-{number:016x}")
}

/// The parent is terraform. Its number is used again one day, its number and start since the boot of this machine are not.
#[cfg(target_os = "linux")]
fn of_parent() -> Option<u64> {
    let parent = std::os::unix::process::parent_id();
    let stat = fs::read_to_string(format!("/proc/{parent}/stat")).ok()?;
    // The name in parentheses may hold anything. The start is field 22, the third is the first behind the name.
    let start = stat.rsplit_once(')')?.1.split_whitespace().nth(19)?;
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let mut hasher = DefaultHasher::new();
    (parent, start, boot).hash(&mut hasher);
    Some(hasher.finish())
}

#[cfg(not(target_os = "linux"))]
fn of_parent() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn processes_of_one_parent_have_one_id() {
        assert_eq!(random(), random());
        assert_eq!(random().len(), "terraform-".len() + 16);
    }
}
