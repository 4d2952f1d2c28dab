//! Arguments, config, engine, face, exit code; decides nothing.

fn main() {}
