// The last minutes, for stepping back: states of buses as they were, one a second. Memory has three limits, for a page may stay open
// for months: the span of time, the number of states, and how much is in them.

/** History keeps states of buses by their time. */
export class History {
  constructor({ span = 5 * 60_000, most = 4000, weight = 120_000 } = {}) {
    this.span = span;
    this.most = most;
    this.mostWeight = weight;
    this.weight = 0;
    this.newest = new Map(); // state of each bus
    this.states = []; // {time, bus, weight}, in the order in which they came
  }

  /** add keeps a state of a bus. What was there before is forgotten as far as the limits want it. */
  add(time, bus) {
    const last = this.states.at(-1)?.time ?? time;
    const entry = { time: Math.max(time, last), bus, weight: weigh(bus, this.newest.get(bus.number)) };
    this.newest.set(bus.number, bus);
    this.states.push(entry);
    this.weight += entry.weight;
    let drop = 0;
    while (drop < this.states.length - 1 && this.#tooMuch(drop, entry.time)) this.weight -= this.states[drop++].weight;
    if (drop > 0) this.states.splice(0, drop);
  }

  #tooMuch(drop, now) {
    return this.weight > this.mostWeight || this.states.length - drop > this.most || now - this.states[drop].time > this.span;
  }

  get first() {
    return this.states[0]?.time ?? 0;
  }

  get last() {
    return this.states.at(-1)?.time ?? 0;
  }

  /** at gives the buses as they were at a time: of each the last state not later, or the first that there is. */
  at(time) {
    const found = new Map();
    for (const s of this.states) {
      if (s.time <= time || !found.has(s.bus.number)) found.set(s.bus.number, s.bus);
    }
    return found;
  }

  /** step gives the time of the state before (by < 0) or after another. */
  step(time, by) {
    const times = this.states.map((s) => s.time);
    const next = by < 0 ? times.findLast((t) => t < time - 1) : times.find((t) => t > time + 1);
    return next ?? (by < 0 ? this.first : this.last);
  }

  /** marks gives so many columns of the span: messages a second at most, and whether something was refused, missed or unseen. */
  marks(columns) {
    const marks = Array.from({ length: columns }, () => ({ rate: 0, bad: false }));
    const width = Math.max(1, this.last - this.first);
    const before = new Map();
    for (const { time, bus } of this.states) {
      const mark = marks[Math.min(columns - 1, Math.floor(((time - this.first) / width) * columns))];
      const old = before.get(bus.number);
      before.set(bus.number, bus);
      if (!bus.up) mark.bad = true;
      if (!bus.picture || !old?.counts || old.picture === bus.picture) continue;
      mark.rate = Math.max(mark.rate, bus.picture.names.reduce((sum, n) => sum + n.rate, 0));
      if (bus.counts.refused > old.counts.refused || bus.counts.skipped > old.counts.skipped) mark.bad = true;
    }
    return marks;
  }
}

// weigh is how many things a state has that the one before has not: each is some hundred bytes.
function weigh(bus, before) {
  const p = bus.picture;
  const last = before?.recent.at(-1)?.n ?? -1;
  const messages = bus.recent.filter((m) => m.n > last).length;
  return 20 + messages + (p && p !== before?.picture ? p.ksocks.length + p.names.length + p.bindings.length : 0);
}
