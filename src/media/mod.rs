//! Files on disk: checks, names, sidecars, the disk itself. Knows the domain.
