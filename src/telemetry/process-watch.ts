import type { Metrics } from './metrics.ts';

const LOOK_MILLIS = 100;

/** What Node.js tells of its own process. Returns what ends it. */
export function watchProcess(metrics: Metrics, version: string): () => void {
  metrics.set('advertisex_build_info', { version, node: process.version }, 1);
  metrics.set('process_start_time_seconds', {}, Math.round(performance.timeOrigin) / 1_000);
  let cpuSeconds = 0;
  metrics.onExpose(() => {
    const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
    metrics.set('process_resident_memory_bytes', {}, rss);
    metrics.set('nodejs_heap_size_used_bytes', {}, heapUsed);
    metrics.set('nodejs_heap_size_total_bytes', {}, heapTotal);
    metrics.set('nodejs_external_memory_bytes', {}, external);
    const { user, system } = process.cpuUsage();
    const before = cpuSeconds;
    cpuSeconds = (user + system) / 1_000_000;
    metrics.add('process_cpu_seconds_total', {}, cpuSeconds - before);
  });
  // Not as a gauge that each scrape resets: two who scrape would take from each other.
  let due = performance.now() + LOOK_MILLIS;
  const timer = setInterval(() => {
    const now = performance.now();
    metrics.observe('advertisex_event_loop_delay_seconds', {}, Math.max(0, now - due) / 1_000);
    due = now + LOOK_MILLIS;
  }, LOOK_MILLIS);
  timer.unref();
  return () => clearInterval(timer);
}
