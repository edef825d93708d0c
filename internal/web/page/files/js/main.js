// The page: the stream comes in, states go into the time line, and what is to be seen, now or then, is shown.

import { apply, initial } from './state.js';
import { History } from './history.js';
import { Bowl } from './bowl.js';
import { Clock } from './water.js';
import { TimeLine } from './timeline.js';
import { details } from './details.js';
import { feed } from './feed.js';
import { theme } from './theme.js';
import { el, replace, say } from './dom.js';
import { amount, count, summary } from './words.js';

const drawEvery = 250; // milliseconds
const speakEvery = 10_000; // the summary, for those who are read to

const by = (id) => document.getElementById(id);
const calm = matchMedia('(prefers-reduced-motion: reduce)');
const clock = new Clock();
const history = new History();
const bowls = new Map();
const line = new TimeLine(document, history, seek);
let state = initial();
let chosen = null; // {bus, what, key}
let opener = null; // what had the focus when the details were opened
let table = false;
let drawing = 0;
let spoken = 0;

/** take is one update of the stream. */
function take(kind, data) {
  state = apply(state, kind, data);
  if (kind === 'picture' || kind === 'bus') {
    const bus = state.buses.get(data.bus);
    history.add(bus.time || Date.now(), bus);
  }
  if (kind === 'beat' && line.at === null && !calm.matches && !document.hidden) bowls.get(data.bus)?.swim(data.messages, state.buses.get(data.bus));
  drawing ||= setTimeout(draw, drawEvery);
}

/** seek goes to a moment that has been, or back to now. */
function seek(at) {
  document.body.classList.toggle('still', at !== null);
  const stepped = at !== null && at !== history.last;
  if (at === null || stepped) {
    clock.go();
    bowls.forEach((b) => b.water.clear());
  } else {
    clock.stop();
  }
  draw();
  if (!stepped || calm.matches) return;
  for (const [number, bus] of history.at(at)) {
    bowls.get(number)?.swim(bus.recent.filter((m) => m.time > at - 1000 && m.time <= at), bus);
  }
}

/** draw shows what is to be seen. */
function draw() {
  clearTimeout(drawing);
  drawing = 0;
  const shown = line.at === null ? state.buses : history.at(line.at);
  for (const number of [...shown.keys()].sort((a, b) => a - b)) {
    if (!bowls.has(number)) {
      bowls.set(number, new Bowl(number, clock, choose));
      by('buses').append(...[...bowls].sort(([a], [b]) => a - b).map(([, b]) => b.element));
    }
    bowls.get(number).update(shown.get(number), { table, chosen });
  }
  bowls.forEach((b, number) => { b.element.hidden = !shown.has(number); });
  line.update();
  link();
  if (chosen) {
    const { title, parts } = details(shown.get(chosen.bus), chosen, state.most, choose);
    say(by('details-title'), title);
    replace(by('details-body'), ...parts);
  }
  speak(shown);
}

const links = {
  connecting: 'connecting …', live: 'live', closed: 'kbus-web does not answer; the page tries again',
  end: 'kbus-web was stopped; the page waits for it', over: 'kbus-web lets nobody look any more: load the page again',
};

function link() {
  const text = state.link === 'full' ? `${count(state.viewers, 'viewer looks', 'viewers look')} already; the page tries again` : links[state.link];
  const p = by('link');
  p.dataset.link = state.link;
  say(p, state.other ? `${text}. kbus-web is another version now: load the page again` : text);
  const { updates, messages } = state.lost;
  by('lost').hidden = updates + messages === 0;
  say(by('lost'), updates + messages === 0 ? '' : `This browser was too slow: ${count(messages, 'message')} and ${amount(updates)} updates were not shown. All are counted.`);
}

// speak tells those who are read to how it stands, now and then, and only what is new.
function speak(shown) {
  if (performance.now() - spoken < speakEvery && spoken > 0) return;
  spoken = performance.now();
  say(by('summary'), [...shown.values()].map(summary).join(' '));
}

/** choose opens the details of a Ksock or a name. */
function choose(bus, what, key) {
  if (by('details').hidden) opener = document.activeElement;
  chosen = { bus, what, key };
  by('details').hidden = false;
  by('details-body').scrollTop = 0;
  draw();
  by('details-title').focus();
}

function close() {
  chosen = null;
  by('details').hidden = true;
  replace(by('details-body'), el('p'));
  draw();
  (opener?.isConnected ? opener : by('buses')).focus();
}

by('close').addEventListener('click', close);
document.addEventListener('keydown', (e) => {
  if (e.key === 'Escape' && chosen) close();
});
by('table').addEventListener('click', () => {
  table = !table;
  by('table').setAttribute('aria-pressed', String(table));
  draw();
});
theme(by('theme'), document.documentElement, () => {
  bowls.forEach((b) => b.water.readColours());
  line.draw();
});
addEventListener('pagehide', () => source.close());
addEventListener('pageshow', (e) => {
  if (e.persisted) location.reload(); // from the browser's memory, without its stream
});
const source = feed('events', take);
