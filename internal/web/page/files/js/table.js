// The same as the picture, as two tables: who is on the bus, and what is said on it.

import { el, replace } from './dom.js';
import { ksocksOf, namesOf, trouble } from './state.js';
import { amount, duration, rate, size } from './words.js';

/** updateTables fills the tables of a bus. */
export function updateTables(container, bus, choose) {
  const open = (what, key, text) => el('button', { type: 'button', class: 'to', 'data-key': `${what} ${key}`, text, on: () => choose(bus.number, what, key) });
  const ksocks = ksocksOf(bus).filter((k) => !k.passing).sort((a, b) => a.ksock - b.ksock);
  const names = namesOf(bus).sort((a, b) => (a.name < b.name ? -1 : 1));
  const left = bus.picture?.left_out ?? {};
  replace(container,
    table(`Ksocks of bus ${bus.number}${left.ksocks ? `, without ${amount(left.ksocks)} that do least` : ''}`,
      ['Program', 'Sends/s', 'Gets/s', 'Queue', 'Missed', 'Waits for', 'Owes', 'Oldest'],
      ksocks.map((k) => [
        open('ksock', k.ksock, `${k.program} ${k.ksock}`), rate(k.out), rate(k.in), `${amount(k.queued)} of ${amount(k.max_messages)}`,
        amount(k.missed), amount(k.outstanding), amount(k.unanswered), k.oldest ? duration(k.oldest) : '–',
      ]), (i) => trouble(ksocks[i]).length > 0),
    table(`Names of bus ${bus.number}${left.names ? `, without ${amount(left.names)} that are used least` : ''}`,
      ['Name', 'Messages/s', 'Size', 'Reached/s', 'Skipped', 'Refused', 'Answer', 'Longest'],
      names.map((n) => [
        open('name', n.name, n.name), rate(n.rate), n.messages ? size(n.size) : '–', rate(n.reached ?? 0), amount(n.skipped ?? 0),
        amount(n.refused ?? 0), n.answered ? duration(n.answer_mean) : '–', n.answered ? duration(n.answer_longest) : '–',
      ]), () => false));
}

function table(caption, heads, rows, isBad) {
  return el('table', {}, el('caption', { text: caption }),
    el('thead', {}, el('tr', {}, ...heads.map((h) => el('th', { scope: 'col', text: h })))),
    el('tbody', {}, ...rows.map(([first, ...cells], i) => el('tr', { class: isBad(i) ? 'bad' : '' }, el('th', { scope: 'row' }, first), ...cells.map((c) => el('td', { text: c }))))));
}
