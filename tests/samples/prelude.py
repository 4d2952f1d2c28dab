# Before a sample: its waits are kept, but short, because the simulator's clock runs fast.
import time
_real_sleep = time.sleep
time.sleep = lambda seconds: _real_sleep(min(seconds, 0.04))
# ---- the sample, as printed ----
