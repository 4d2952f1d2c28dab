//! The nouns and their rules. Pure: std, serde, decimal. Knows nobody.
