//! The adapters on a real socket: one case for each cell of each answer table, against a scripted
//! server on loopback, and one contract run each against the simulator. Real time throughout.

mod wire {
    mod nanogpt;
    mod ninjachat;
    mod scripted;
    mod support;
}
