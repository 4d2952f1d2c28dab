//! Settings: the config file, the environment, paths. Knows the domain; must not know engine or faces.
