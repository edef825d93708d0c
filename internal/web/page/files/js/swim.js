// How messages swim: from who sends it to its name, and from there to all who get it. A journey is a list of legs, each a curve with
// a beginning and an end in time, and where a message is at a moment is a function of that.

import { recipients } from './names.js';
import { byKsock, edge } from './layout.js';

const leg = 700; // milliseconds
const pause = 90;
export const mostSwimming = 160; // in one bowl
const mostCopies = 6; // of one message

/** journeys gives the ways of messages of a bus in a bowl that is laid out, beginning at a time. Who is not to be seen has no way. */
export function journeys(messages, bus, placed, start) {
  const bindings = bus.picture?.bindings ?? [];
  const fish = byKsock(placed, bus.passers);
  const names = new Map(placed.names.map((n) => [n.name, n]));
  const first = messages[0]?.time ?? 0;
  const all = [];
  for (const m of messages) {
    const begin = start + Math.min(1000, Math.max(0, m.time - first));
    all.push(...waysOf(m, bindings, placed, fish, names, begin));
  }
  return all;
}

function waysOf(m, bindings, placed, fish, names, begin) {
  const from = fish.get(m.from) ?? { x: placed.middle.x, y: placed.surface - 12 };
  const name = names.get(m.name);
  const middle = name ? edge(name, from) : { x: placed.middle.x, y: placed.middle.y };
  const { to, listeners } = recipients(bindings, m);
  const addressee = fish.get(to);
  const ways = [];
  if (m.kind === 'Status' || m.kind === 'Reply') {
    if (addressee) ways.push(way(m.kind, begin, [from, addressee]));
  } else if (m.refused) {
    ways.push(way('Refused', begin, [from, middle, { x: middle.x, y: placed.height - 30 }]));
  } else {
    const ends = [addressee, ...listeners.map((k) => fish.get(k))].filter(Boolean).slice(0, mostCopies);
    if (ends.length === 0) ways.push(way(m.kind, begin, [from, middle]));
    for (const end of ends) {
      ways.push(way(m.kind, begin, name ? [from, middle, edge(name, end), end] : [from, middle, end]));
    }
    return ways;
  }
  for (const k of listeners.slice(0, mostCopies)) {
    if (fish.has(k)) ways.push(way(m.kind, begin, [from, middle, fish.get(k)]));
  }
  return ways;
}

// way is one of three kinds of point after the other; a step along the name itself takes no more than a moment.
function way(kind, begin, points) {
  const legs = [];
  let at = begin;
  for (let i = 1; i < points.length; i++) {
    const [a, b] = [points[i - 1], points[i]];
    const short = Math.abs(a.y - b.y) < 1 && Math.hypot(a.x - b.x, a.y - b.y) < 400 && points.length === 4 && i === 2;
    const took = short ? pause : leg;
    legs.push({ begin: at, end: at + took, a: { x: a.x, y: a.y }, b: { x: b.x, y: b.y }, bend: short ? 0 : bend(a, b) });
    at += took;
  }
  return { kind, begin, end: at, legs };
}

function bend(a, b) {
  return Math.min(40, Math.hypot(a.x - b.x, a.y - b.y) / 8);
}

/** position is where a message is at a time; nothing before it begins and after it has come. */
export function position(journey, time) {
  const l = journey.legs.find((each) => time >= each.begin && time < each.end);
  if (!l) return null;
  const t = (time - l.begin) / (l.end - l.begin);
  const s = t * t * (3 - 2 * t);
  const lift = 4 * s * (1 - s) * l.bend;
  return {
    x: l.a.x + (l.b.x - l.a.x) * s, y: l.a.y + (l.b.y - l.a.y) * s - lift,
    angle: Math.atan2(l.b.y - l.a.y, l.b.x - l.a.x), last: l === journey.legs.at(-1),
  };
}

/** still drops the journeys that are over, and those for which there is no room. */
export function still(all, time) {
  return all.filter((j) => j.end > time).slice(-mostSwimming);
}
