//! What the screen is about: pure state. Knows the domain; no I/O, no async, no clock, no drawing.
