//! The port to the services and its adapters. Knows the domain and HTTP; no retry, no sleep, no files.
