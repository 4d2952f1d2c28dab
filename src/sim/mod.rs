//! The simulated services. Shares nothing with the client, so that it can contradict it.
