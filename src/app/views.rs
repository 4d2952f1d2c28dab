//! Views of the table that have a name: a filter that also says how to sort and group.
//!
//! Knows the built-in ones and how the user's are read. Must not know where the config lies.

use super::filter::Filter;

/// A filter with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Its name.
    pub name: String,
    /// What is typed for it into the filter.
    pub text: String,
}

/// What the built-in views show, by name.
pub const ATTENTION: (&str, &str) = ("attention", "is:needy");
/// What is not over.
pub const ACTIVE: (&str, &str) = ("active", "is:active");
/// What came out today.
pub const DONE: (&str, &str) = ("done today", "state:done today");
/// What failed.
pub const FAILED: (&str, &str) = ("failed", "state:failed");

/// Most own views: each has a digit.
const MOST: usize = 9;

/// Reads the user's views, in their order.
///
/// # Errors
/// The name of the first that is wrong, and what is wrong with it.
pub fn read(texts: &[(String, String)]) -> Result<Vec<View>, (String, String)> {
    let mut views = Vec::new();
    for (name, text) in texts {
        let refused = |why: String| Err((name.clone(), why));
        if let Err(why) = Filter::strict(text) {
            return refused(why);
        }
        if name.trim().is_empty() || name.chars().count() > 24 {
            return refused("a view's name has 1 to 24 characters".to_owned());
        }
        if views.len() == MOST {
            return refused(format!("there are more than {MOST} views; the keys 1 to {MOST} take them"));
        }
        views.push(View { name: name.clone(), text: text.clone() });
    }
    Ok(views)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_with_a_wrong_term_is_refused_by_name() {
        let view = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let good = [view("night", "tag:night state:failed today sort:-cost group:batch")];
        assert_eq!(read(&good).unwrap()[0].name, "night");
        let (name, why) = read(&[view("a", "neon"), view("b", "state:fialed")]).unwrap_err();
        assert_eq!(name, "b");
        assert!(why.contains("no state"), "{why}");
        let many: Vec<_> = (0..10).map(|i| view(&format!("v{i}"), "neon")).collect();
        assert_eq!(read(&many).unwrap_err().0, "v9");
        for (_, text) in [ATTENTION, ACTIVE, DONE, FAILED] {
            assert!(Filter::strict(text).is_ok(), "{text}");
        }
    }
}
