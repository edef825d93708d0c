// A bus on the page: its head with the figures, and either the bowl or the tables.

import { el, svg, say, keyed } from './dom.js';
import { layout, lines } from './layout.js';
import { makeFish, updateFish } from './fish.js';
import { makeScene } from './scene.js';
import { Water } from './water.js';
import { updateTables } from './table.js';
import { amount, clock as clockText, count, messageRate, rate } from './words.js';

export class Bowl {
  #fish = new Map();
  #names = new Map();
  #lines = new Map();

  constructor(number, clock, choose) {
    this.number = number;
    this.choose = choose;
    const title = `bus-${number}`;
    this.figures = el('p', { class: 'figures' });
    this.notice = el('p', { class: 'notice', hidden: true });
    this.scene = svg('svg', { class: 'scene', 'aria-hidden': 'true' });
    this.lines = svg('svg', { class: 'lines', 'aria-hidden': 'true' });
    this.names = el('ul', { 'aria-label': `Names on bus ${number}` });
    this.school = el('ul', { 'aria-label': `Ksocks on bus ${number}` });
    this.more = el('p', { class: 'more', hidden: true });
    const canvas = el('canvas', { 'aria-hidden': 'true' });
    this.bowl = el('div', { class: 'bowl' }, this.scene, this.lines, canvas, this.names, this.school, this.more); // what swims, swims behind what is to be read
    this.tables = el('div', { class: 'tables', tabindex: '0', role: 'region', 'aria-label': `Tables of bus ${number}`, hidden: true });
    this.element = el('section', { class: 'bus', 'aria-labelledby': title },
      el('div', { class: 'bus-head' }, el('h2', { id: title, text: `Bus ${number}` }), this.figures), this.notice, this.bowl, this.tables);
    this.water = new Water(canvas, clock);
    new ResizeObserver(() => this.fit()).observe(this.bowl);
  }

  fit() {
    const { clientWidth: w, clientHeight: h } = this.bowl;
    if (w === 0 || (w === this.width && h === this.height)) return;
    [this.width, this.height] = [w, h];
    this.scene.replaceChildren(...makeScene(w, h, 44));
    this.water.fit(w, h);
    if (this.bus) this.update(this.bus, this.options);
  }

  /** update shows a state of the bus. */
  update(bus, options) {
    this.bus = bus;
    this.options = options;
    this.element.dataset.up = bus.up;
    this.bowl.hidden = options.table;
    this.tables.hidden = !options.table;
    this.head(bus);
    if (options.table) {
      updateTables(this.tables, bus, this.choose);
      return;
    }
    if (!this.width) {
      this.fit();
      return;
    }
    this.picture(bus, options.chosen?.bus === this.number ? options.chosen : {});
  }

  head(bus) {
    const p = bus.picture;
    const unanswered = p ? p.ksocks.reduce((sum, k) => sum + k.unanswered, 0) : 0;
    const figure = (n, what, bad) => el('span', { class: bad ? 'bad' : '' }, el('b', { text: n }), ` ${what}`);
    this.figures.replaceChildren(...(p ? [
      figure(amount(p.totals.ksocks), p.totals.ksocks === 1 ? 'Ksock' : 'Ksocks'), figure(rate(messageRate(p)), 'messages/s'),
      figure(amount(p.totals.queued), 'queued'), figure(amount(unanswered), 'unanswered', p.ksocks.some((k) => k.unanswered > 0 && k.oldest >= 1)),
      figure(amount(p.totals.missed), 'missed', p.ksocks.some((k) => k.missed_now > 0)),
      bus.counts?.refused > 0 && figure(amount(bus.counts.refused), 'refused'),
      bus.counts?.not_seen > 0 && figure(amount(bus.counts.not_seen), 'events not seen', true),
    ].filter(Boolean) : []));
    const back = bus.lives > 1 && bus.up ? `It was gone and is back, since ${clockText(bus.changed || bus.time)}. Ksocks and counts of queues are those of the new daemon.` : '';
    say(this.notice, bus.up ? back : `It cannot be seen: ${bus.why}. It is tried again each second.`);
    this.notice.hidden = this.notice.textContent === '';
  }

  picture(bus, chosen) {
    const placed = layout(bus, this.width, this.height, this.placed);
    this.placed = placed;
    keyed(this.school, this.#fish, placed.fish, (f) => f.key, (f) => makeFish(f.of, (k) => this.choose(this.number, ...(k.passing ? ['program', k.program] : ['ksock', k.ksock]))),
      (item, f) => updateFish(item, f, f.of.passing ? chosen.what === 'program' && chosen.key === f.of.program : chosen.what === 'ksock' && chosen.key === f.ksock));
    keyed(this.names, this.#names, placed.names, (n) => n.name, (n) => this.makeName(n),
      (item, n) => this.updateName(item, n, chosen.what === 'name' && chosen.key === n.name));
    keyed(this.lines, this.#lines, lines(bus, placed), (l) => l.key, () => svg('path'), (path, l) => {
      path.setAttribute('class', `${l.as}${isChosen(chosen, l) ? ' chosen' : ''}`);
      path.setAttribute('d', curve(l.from, l.to));
    });
    this.note(bus, placed.hidden);
  }

  // note says in the air above the water what the picture has not.
  note(bus, { fish, names }) {
    const hidden = [fish && count(fish, 'Ksock'), names && count(names, 'name')].filter(Boolean).join(' and ');
    const notes = [hidden && `${hidden} in the table only`, bus.of > bus.shown && `${amount(bus.shown)} of the last ${amount(bus.of)} messages swim; all are counted`];
    say(this.more, notes.filter(Boolean).join('. '));
    this.more.hidden = this.more.textContent === '';
  }

  makeName(n) {
    const button = el('button', { type: 'button', class: 'name', on: () => this.choose(this.number, 'name', n.name) }, el('span', { class: 'text' }, el('bdi', { dir: 'ltr', text: n.name })), el('span', { class: 'rate' }));
    return el('li', {}, button);
  }

  updateName(item, n, chosen) {
    const button = item.firstElementChild;
    item.style.transform = `translate(${n.x}px, ${n.y}px)`;
    button.style.width = `${n.width}px`;
    button.title = n.name;
    button.className = ['name', n.of.rate > 0 && 'busy', n.of.wrong && 'bad', chosen && 'chosen'].filter(Boolean).join(' ');
    say(button.lastElementChild, n.of.rate > 0 ? `${rate(n.of.rate)}/s` : '');
  }

  /** swim lets messages of this bus begin, as it is now. */
  swim(messages, bus) {
    if (this.placed && bus.picture && !this.bowl.hidden) this.water.swim(messages, bus, this.placed);
  }
}

function isChosen(chosen, line) {
  return (chosen.what === 'ksock' && chosen.key === line.ksock) || (chosen.what === 'name' && chosen.key === line.name);
}

function curve(a, b) {
  const middle = (a.x + b.x) / 2;
  return `M${a.x} ${a.y}C${middle} ${a.y} ${middle} ${b.y} ${b.x} ${b.y}`;
}
