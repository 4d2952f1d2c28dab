# Before a sample: its waits are kept, but short, because the simulator's clock runs fast.
sleep() { command sleep 0.04; }
# ---- the sample, as printed ----
