// What the page knows: from the updates of the stream, one after the other, it makes a state of each bus. Nothing here changes a
// state that is there; each update gives a new one that shares what has not changed. So the time line can keep old ones, and
// tests need no browser.

export const mostRecent = 300; // messages of a bus that are remembered
const passing = 6000; // milliseconds for which a program is shown whose Ksocks come and go between two pictures
const mostPassers = 12;
const mostOfOne = 40; // Ksocks of such a program

/** initial is what is known before anything has come. */
export function initial() {
  return { link: 'connecting', version: '', began: 0, buses: new Map(), lost: { updates: 0, messages: 0 }, most: 0 };
}

function emptyBus(number) {
  return {
    number, up: false, why: '', lives: 0, changed: 0, time: 0, picture: null, counts: null, of: 0, shown: 0, recent: [], passers: [],
  };
}

/**
 * apply takes an update into account. kind is the event's: hello, bus, picture, past, beat, lost, full, end; and those of the
 * link itself: closed (it is tried again), over (it is not).
 */
export function apply(state, kind, data = {}) {
  switch (kind) {
    case 'hello':
      return {
        ...state, link: 'live', version: data.version, began: data.began, most: data.data, lost: { updates: 0, messages: 0 },
        other: isOther(state, data), buses: state.began === data.began ? state.buses : anew(state.buses),
      };
    case 'closed': // after a full or an end it is what was said there
      return state.link === 'full' || state.link === 'end' ? state : { ...state, link: 'closed' };
    case 'over':
    case 'end':
    case 'full':
      return { ...state, link: kind, viewers: data.most };
    case 'lost':
      return { ...state, lost: data };
    case 'bus':
    case 'picture':
    case 'beat':
    case 'past':
      return { ...state, buses: new Map(state.buses).set(data.bus, onBus[kind](state.buses.get(data.bus) ?? emptyBus(data.bus), data)) };
    default: // of a newer kbus-web
      return state;
  }
}

// isOther reports whether the program has become another version while the page was open.
function isOther(state, hello) {
  return state.other || (state.version !== '' && state.version !== hello.version);
}

// anew forgets messages that another kbus-web has numbered.
function anew(buses) {
  return new Map([...buses].map(([number, b]) => [number, { ...b, recent: [], passers: [] }]));
}

const onBus = {
  bus(b, d) {
    const changed = d.up !== b.up || d.lives !== b.lives ? d.at ?? b.time : b.changed;
    const gone = d.up ? {} : { picture: null, passers: [] };
    const time = b.time === 0 ? 0 : Math.max(b.time, changed); // on the time line, from when the page looks on
    return { ...b, ...gone, time, up: d.up, why: d.why ?? '', lives: d.lives, changed };
  },
  picture(b, d) {
    const open = new Set(d.ksocks.map((k) => k.ksock));
    const passers = b.passers.map((p) => ({ ...p, ksocks: p.ksocks.filter((k) => !open.has(k)) })).filter((p) => p.ksocks.length > 0 && d.at - p.seen < passing);
    return { ...b, time: d.at, picture: { ...d, names: sinceBefore(b.picture, d) }, counts: d.counts, passers };
  },
  beat(b, d) {
    return { ...b, time: d.time, counts: d.counts, of: d.of, shown: d.messages.length, ...remember(b, d.messages) };
  },
  past(b, d) {
    return { ...b, time: Math.max(b.time, d.time), recent: remember(b, d.messages).recent };
  },
};

// sinceBefore notes at each name what was refused and skipped since the picture before.
function sinceBefore(before, now) {
  const old = new Map(before?.lives === now.lives ? before.names.map((n) => [n.name, n]) : []);
  return now.names.map((n) => {
    const o = old.get(n.name) ?? (before ? { refused: 0, skipped: 0 } : n);
    return { ...n, wrong: n.refused > o.refused || n.skipped > o.skipped };
  });
}

// remember adds messages that are new. Those that come twice, with what was there before and again, have their number.
function remember(b, messages) {
  const last = b.recent.at(-1)?.n ?? 0;
  const fresh = messages.filter((m) => m.n > last);
  return { recent: [...b.recent, ...fresh].slice(-mostRecent), passers: pass(b, fresh) };
}

// pass notes programs whose Ksocks say something and are in no picture: they came and went between two. A loop in a shell makes
// many of them, so all of a program are one.
function pass(b, messages) {
  const open = new Set((b.picture?.ksocks ?? []).map((k) => k.ksock));
  const passers = new Map(b.passers.map((p) => [p.program, p]));
  for (const m of messages) {
    if (!m.from || open.has(m.from)) continue;
    const old = passers.get(m.program) ?? { program: m.program ?? '', ksocks: [] };
    passers.set(m.program, { ...old, seen: m.time, ksocks: [...old.ksocks.filter((k) => k !== m.from), m.from].slice(-mostOfOne) });
  }
  return [...passers.values()].slice(-mostPassers);
}

/** ksocksOf gives those of a bus, and one for each program that has just passed. */
export function ksocksOf(bus) {
  const passers = bus.passers.map((p) => ({
    ksock: p.ksocks.at(-1), ksocks: p.ksocks, program: p.program, passing: true, out: 0, in: 0, queued: 0, max_messages: 0, missed: 0, missed_now: 0,
    unanswered: 0, outstanding: 0,
  }));
  return [...(bus.picture?.ksocks ?? []), ...passers];
}

/** keyOf tells fish apart: Ksocks by their number, and programs that pass by their name. */
export function keyOf(k) {
  return k.passing ? `~${k.program}` : k.ksock;
}

/** trouble says what is the matter with a Ksock, in words; nothing if nothing is. */
export function trouble(k) {
  const found = [];
  if (k.max_messages > 0 && k.queued >= k.max_messages) found.push('queue full');
  if (k.missed_now > 0) found.push(`missed ${k.missed_now} now`);
  if (k.unanswered > 0 && k.oldest >= 1) found.push(`owes ${k.unanswered} ${k.unanswered === 1 ? 'answer' : 'answers'}`);
  return found;
}

/** namesOf gives the names of a bus: those that are said, and those that somebody is bound to. */
export function namesOf(bus) {
  const names = new Map((bus.picture?.names ?? []).map((n) => [n.name, n]));
  for (const b of bus.picture?.bindings ?? []) {
    if (!names.has(b.name)) names.set(b.name, { name: b.name, rate: 0, messages: 0, quiet: true });
  }
  return [...names.values()];
}

/** messagesOf gives the messages of a name, the last first. */
export function messagesOf(bus, name) {
  return bus.recent.filter((m) => m.name === name).reverse();
}

/** messagesWith gives those that Ksocks have sent or that were for them, the last first. */
export function messagesWith(bus, ...ksocks) {
  return bus.recent.filter((m) => ksocks.includes(m.from) || ksocks.includes(m.to)).reverse();
}

/** refusalOf is the last send of a Ksock that was refused. */
export function refusalOf(bus, ksock) {
  const known = (bus.picture?.refusals ?? []).find((m) => m.from === ksock);
  const newer = bus.recent.filter((m) => m.from === ksock && m.refused).at(-1);
  return newer && (!known || newer.n > known.n) ? newer : known;
}
