// A goldfish: a button, with the program's name, a bar for its queue, and in red what is wrong.

import { el, svg, say } from './dom.js';
import { trouble } from './state.js';

/** colour gives a program one of eight, always the same. */
export function colour(program) {
  let sum = 0;
  for (const c of program) sum = (sum * 31 + c.codePointAt(0)) >>> 0;
  return sum % 8;
}

/** makeFish makes the element of a Ksock. */
export function makeFish(k, choose) {
  const button = el('button', { type: 'button', class: 'fish', on: () => choose(k) },
    svg('svg', { viewBox: '0 0 66 36', 'aria-hidden': 'true' },
      svg('path', { class: 'body tail', d: 'M19 18C13 14 7 7 2 8c3 6 3 14 0 20 5 1 11-6 17-10Z' }),
      svg('path', { class: 'body', d: 'M31 8c4-7 11-6 13 1M33 28c2 5 8 5 9 1' }),
      svg('path', { class: 'body', d: 'M17 18C25 5 43 6 53 18 43 30 25 31 17 18Z' }),
      svg('path', { d: 'M42 12c-3 4-3 8 0 12', fill: 'none', stroke: '#7a3510', 'stroke-width': '1', opacity: '.5' }),
      svg('circle', { cx: '46', cy: '15', r: '2.600', fill: '#fff' }), svg('circle', { cx: '46.700', cy: '15', r: '1.400', fill: '#222' })),
    el('span', { class: 'who' }, el('span', { class: 'program' }), el('span', { class: 'number' })), ' ',
    el('span', { class: 'queue' }, el('i'), el('span', { class: 'unseen' })), ' ',
    el('span', { class: 'wrong', hidden: true }));
  button.style.setProperty('--phase', (k.ksock * 0.618) % 1);
  return el('li', {}, button);
}

/** updateFish brings it up to date: where it is, and how it is. */
export function updateFish(item, placed, chosen) {
  const k = placed.of;
  const button = item.firstElementChild;
  const wrong = trouble(k);
  item.style.transform = `translate(${placed.x}px, ${placed.y}px)`;
  button.className = ['fish', `c${colour(k.program)}`, placed.faces, wrong.length > 0 && 'bad', k.passing && 'passing', chosen && 'chosen']
    .filter(Boolean).join(' ');
  button.style.setProperty('--scale', placed.scale);
  const [, who, queue, what] = button.children;
  say(who.firstElementChild, k.passing ? k.program || 'somebody' : k.program);
  say(who.lastElementChild, k.passing ? '' : ` ${k.ksock}`);
  queue.style.setProperty('--fill', k.max_messages ? Math.min(1, k.queued / k.max_messages) : 0);
  queue.classList.toggle('full', k.max_messages > 0 && k.queued >= k.max_messages);
  what.hidden = wrong.length === 0;
  say(what, placed.scale > 1 ? wrong.join(', ') : wrong[0] ?? ''); // the details have the rest
  say(queue.lastElementChild, k.passing ? 'comes and goes' : `queue ${k.queued} of ${k.max_messages}`);
}
