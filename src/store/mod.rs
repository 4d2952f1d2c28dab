//! SQLite: jobs, books, events, drafts. Knows the domain; must not know engine or provider.
