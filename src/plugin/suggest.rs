//! "Did you mean": the known name that resembles a wrong one.

/// The most similar of some names, if one is similar enough to be meant.
pub fn closest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = wrong.to_lowercase();
    known
        .into_iter()
        .map(|name| (strsim::levenshtein(&wrong, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= 1 + name.chars().count() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_nonsense_is_not() {
        let known = ["incident_manager", "itil", "admin"];
        assert_eq!(closest("incident_manger", known), Some("incident_manager"));
        assert_eq!(closest("ITIL", known), Some("itil"));
        assert_eq!(closest("completely_else", known), None);
    }
}
