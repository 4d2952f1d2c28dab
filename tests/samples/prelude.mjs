// Before a sample: what a browser on the service's own page has (an origin, a session, a
// FileReader), and short waits, because the simulator's clock runs fast.
const realFetch = globalThis.fetch;
globalThis.fetch = (path, init = {}) =>
  realFetch(process.env.SAMPLE_ORIGIN + path, {
    ...init,
    headers: { 'x-api-key': process.env.SAMPLE_KEY, ...init.headers },
  });
const realTimeout = globalThis.setTimeout;
// Only the samples' five seconds: fetch has timers of its own.
globalThis.setTimeout = (call, wait, ...rest) =>
  realTimeout(call, wait === 5000 ? 40 : wait, ...rest);
globalThis.FileReader = class {
  async readAsDataURL(blob) {
    try {
      const bytes = Buffer.from(await blob.arrayBuffer());
      this.result = `data:${blob.type};base64,${bytes.toString('base64')}`;
      this.onload();
    } catch (error) {
      this.onerror(error);
    }
  }
};
// ---- the sample, as printed ----
