// All that is known of one Ksock or one name, beside the bowls.

import { el } from './dom.js';
import { ksocksOf, messagesOf, messagesWith, namesOf, refusalOf, trouble } from './state.js';
import { amount, became, bodyText, clock, duration, rate, size } from './words.js';
import { matches } from './names.js';

const mostMessages = 12;

/** details gives the title and the parts for what has been chosen. open is called for what in them can be chosen too. */
export function details(bus, chosen, most, open) {
  if (!bus) return { title: 'Nothing', parts: [] };
  const of = { ksock: ofKsock, name: ofName, program: ofProgram }[chosen.what];
  return of(bus, chosen.key, most, open);
}

function ofKsock(bus, ksock, most, open) {
  const k = bus.picture?.ksocks.find((each) => each.ksock === ksock);
  const with_ = messagesWith(bus, ksock);
  if (!k) {
    const program = with_.find((m) => m.from === ksock)?.program;
    return { title: program ? `${program} ${ksock}` : `Ksock ${ksock}`, parts: [el('p', { text: 'It is not on the bus.' }), ...messages(with_, bus, most, open)] };
  }
  const wrong = trouble(k);
  return {
    title: `${k.program} ${k.ksock}`,
    parts: [
      el('p', { class: 'faint', text: `Ksock ${k.ksock} on bus ${bus.number}, process ${k.pid}, user ${k.uid}` }),
      wrong.length > 0 && el('p', { class: 'bad', text: wrong.join(', ') }),
      el('h3', { text: 'Queue' }),
      el('p', { class: k.queued >= k.max_messages ? 'bad' : '', text: `${amount(k.queued)} of ${amount(k.max_messages)} messages` }),
      bar(k),
      el('dl', {}, ...pairs([
        ['sends', `${rate(k.out)}/s, ${size(k.out_bytes)}/s`], ['gets', `${rate(k.in)}/s, ${size(k.in_bytes)}/s`],
        ['missed', amount(k.missed), k.missed_now > 0], ['waits for', `${amount(k.outstanding)} answers`], k.sending && ['sending', 'a message waits until all have room'],
      ])),
      ...owes(k, bus, open), ...refusal(refusalOf(bus, ksock)), ...bindings(bus, ksock, open), ...messages(with_, bus, most, open),
    ],
  };
}

// ofProgram is for programs whose Ksocks are gone before anybody can look at them.
function ofProgram(bus, program, most, open) {
  const ksocks = [...new Set(bus.recent.filter((m) => m.program === program).map((m) => m.from))];
  const with_ = messagesWith(bus, ...ksocks);
  return {
    title: program || 'somebody',
    parts: [el('p', { class: 'faint', text: `It comes and goes: ${amount(ksocks.length)} Ksocks on bus ${bus.number} lately, the last was ${ksocks.at(-1) ?? 'none'}` }),
      ...refusal(with_.find((m) => m.program === program && m.refused)), ...messages(with_, bus, most, open)],
  };
}

function bar(k) {
  const fill = el('span', { class: `queue${k.queued >= k.max_messages ? ' full' : ''}`, 'aria-hidden': 'true' }, el('i'));
  fill.style.setProperty('--fill', k.max_messages ? Math.min(1, k.queued / k.max_messages) : 0);
  return fill;
}

function pairs(list) {
  return list.filter(Boolean).flatMap(([name, value, bad]) => [el('dt', { text: name }), el('dd', { class: bad ? 'bad' : '', text: value })]);
}

function owes(k, bus, open) {
  const title = el('h3', { text: 'Owes' });
  if (k.unanswered === 0) return [title, el('p', { class: 'faint', text: 'no answer' })];
  const list = (k.owes ?? []).map((o) => el('li', {},
    link(`${o.name}`, 'name', o.name, bus, open, `owes ${o.id}`), ` ${o.id} to `, link(`${o.program} ${o.from}`, 'ksock', o.from, bus, open, `owes to ${o.id}`),
    el('span', { class: o.age >= 1 ? 'bad' : '', text: `, for ${duration(o.age)}` })));
  const rest = k.unanswered - list.length;
  return [title, el('p', { class: k.oldest >= 1 ? 'bad' : '', text: `${amount(k.unanswered)} ${k.unanswered === 1 ? 'answer' : 'answers'}, the oldest for ${k.oldest_is_older ? 'more than ' : ''}${duration(k.oldest)}` }),
    el('ul', {}, ...list), rest > 0 && el('p', { class: 'faint', text: `and ${amount(rest)} more` })];
}

function refusal(m) {
  if (!m) return [];
  return [el('h3', { text: 'Last refused send' }),
    el('p', { class: 'refusal', text: `${m.name}, at ${clock(m.time)}: ${m.refused.why}${m.refused.condition ? ` (${m.refused.condition})` : ''}` })];
}

function bindings(bus, ksock, open) {
  const list = (bus.picture?.bindings ?? []).filter((b) => b.ksock === ksock);
  if (list.length === 0) return [];
  return [el('h3', { text: 'Bound to' }), el('ul', {}, ...list.map((b, i) => el('li', {}, link(b.name, 'name', b.name, bus, open, `bound ${i} ${b.name}`), ` as ${b.as}`)))];
}

function ofName(bus, name, most, open) {
  const n = namesOf(bus).find((each) => each.name === name);
  const bound = (bus.picture?.bindings ?? []).filter((b) => b.name === name || matches(b.name, name));
  const who = new Map(ksocksOf(bus).map((k) => [k.ksock, k]));
  const parts = !n ? [el('p', { text: 'Nothing is known of it now.' })] : n.quiet ? [el('p', { class: 'faint', text: 'Nothing was said under it since this page looks.' })] : [
    el('dl', {}, ...pairs([
      ['messages', `${amount(n.messages)}, ${rate(n.rate)}/s`], ['size', `${size(n.size)} each, ${size(n.bytes)}/s`], ['reached', `${rate(n.reached)}/s`],
      ['skipped', amount(n.skipped), n.skipped > 0], ['refused', amount(n.refused), n.refused > 0],
      n.statuses > 0 && ['Statuses', amount(n.statuses), true],
      n.answered > 0 && ['answers', `${amount(n.answered)}, ${duration(n.answer_mean)} each, ${duration(n.answer_longest)} the longest`],
    ]))];
  return {
    title: name,
    parts: [el('p', { class: 'faint', text: `A name on bus ${bus.number}` }), ...parts,
      el('h3', { text: 'Bound to it' }),
      bound.length === 0 ? el('p', { class: 'faint', text: 'nobody' }) : el('ul', {}, ...bound.map((b, i) => el('li', {},
        link(`${who.get(b.ksock)?.program ?? 'Ksock'} ${b.ksock}`, 'ksock', b.ksock, bus, open, `who ${i} ${b.ksock}`), ` as ${b.as}${b.name === name ? '' : `, of ${b.name}`}`))),
      ...messages(messagesOf(bus, name), bus, most, open)],
  };
}

function messages(list, bus, most, open) {
  if (list.length === 0) return [el('h3', { text: 'Last messages' }), el('p', { class: 'faint', text: 'none that this page has seen' })];
  return [el('h3', { text: 'Last messages' }), el('ul', {}, ...list.slice(0, mostMessages).map((m) => el('li', {},
    el('span', { class: 'faint', text: `${clock(m.time)} ` }), el('span', {}, shape(m), m.kind), ' ',
    link(m.name, 'name', m.name, bus, open, `message ${m.n}`), m.from ? ` from ${m.program ?? ''} ${m.from}` : '', m.to ? ` to ${m.to}` : '',
    el('span', { class: m.refused || m.skipped ? 'bad' : 'faint', text: ` – ${became(m)}` }), el('pre', { text: bodyText(m, most) }))))];
}

function shape(m) {
  return el('i', { class: `shape ${m.refused ? 'refused' : m.kind.toLowerCase()}`, 'aria-hidden': 'true' });
}

function link(text, what, key, bus, open, id) {
  return el('button', { type: 'button', class: 'to', 'data-key': id, text, on: () => open(bus.number, what, key) });
}
