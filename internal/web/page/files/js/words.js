// Numbers and times as people read them, and the sentences that stand for the picture.

import { trouble } from './state.js';

const thin = '\u2009';

/** amount shows a count, exactly up to seven digits. */
export function amount(n) {
  if (n >= 1e7) return `${(n / 1e6).toFixed(0)}${thin}M`;
  return Math.round(n).toString().replace(/\B(?=(\d{3})+$)/g, thin);
}

/** rate shows what there is in a second. */
export function rate(n) {
  if (n === 0) return '0';
  if (n < 0.1) return '<0.1';
  return n < 10 ? n.toFixed(1) : amount(n);
}

/** size shows bytes. */
export function size(n) {
  if (n < 1000) return `${Math.round(n)} B`;
  if (n < 1e6) return `${(n / 1e3).toFixed(1)} kB`;
  return `${(n / 1e6).toFixed(1)} MB`;
}

/** duration shows seconds. */
export function duration(s) {
  if (s < 0.001) return `${Math.round(s * 1e6)} µs`;
  if (s < 1) return `${Math.round(s * 1e3)} ms`;
  if (s < 60) return `${s.toFixed(s < 10 ? 1 : 0)} s`;
  return s < 3600 ? `${Math.floor(s / 60)} min ${Math.floor(s % 60)} s` : `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}

/** clock shows a moment, in milliseconds since 1970, by the reader's clock. */
export function clock(ms) {
  return new Date(ms).toLocaleTimeString([], { hour12: false });
}

/** count is a number with its noun. */
export function count(n, noun, plural = `${noun}s`) {
  return `${amount(n)} ${n === 1 ? noun : plural}`;
}

/** messageRate is how many messages there are in a second, by a picture. */
export function messageRate(picture) {
  return picture.names.reduce((sum, n) => sum + n.rate, 0);
}

/** summary says how a bus stands, in a sentence. */
export function summary(bus) {
  if (!bus.up || !bus.picture) return `Bus ${bus.number} cannot be seen: ${bus.why || 'nothing has come yet'}.`;
  const p = bus.picture;
  const parts = [count(p.totals.ksocks, 'Ksock'), `${rate(messageRate(p))} messages a second`];
  const bad = p.ksocks.map((k) => ({ k, what: trouble(k) })).filter((t) => t.what.length > 0);
  const names = bad.slice(0, 3).map(({ k, what }) => `${k.program} ${k.ksock}: ${what.join(', ')}`);
  if (bad.length > 3) names.push(`and ${bad.length - 3} more`);
  return `Bus ${bus.number}: ${parts.join(', ')}. ${bad.length === 0 ? 'Nothing is the matter.' : `${names.join('; ')}.`}`;
}

/** bodyText shows the data of a message as text, and says what is missing of it. */
export function bodyText(m, most) {
  if (m.bytes === 0) return '(no data)';
  if (most === 0) return `(${size(m.bytes)}, not shown)`;
  const text = m.data ?? hex(m.data_base64 ?? '');
  const cut = m.bytes > most ? ` … (${size(m.bytes)} in all)` : '';
  return text.replace(/\p{Cc}/gu, (c) => (c === '\n' || c === '\t' ? c : '\u00b7')) + cut;
}

function hex(base64) {
  return [...atob(base64)].map((c) => c.charCodeAt(0).toString(16).padStart(2, '0')).join(' ');
}

/** became says what has become of a message. */
export function became(m) {
  if (m.refused) return `refused: ${m.refused.why}`;
  const reached = m.kind === 'Status' ? 'from the bus' : `reached ${m.reached}`;
  return m.skipped ? `${reached}, skipped ${m.skipped}` : reached;
}
