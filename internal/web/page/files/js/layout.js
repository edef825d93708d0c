// Where everything is in a bowl: names in the middle, in columns, and the fish around them; who answers on the right, the
// others on the left. It is a function of what there is, of the room, and of who was there before, so a fish keeps its place while
// nobody comes or goes.

import { keyOf, namesOf, ksocksOf, trouble } from './state.js';

const row = 40; // pixels from one name to the next, and
const wideRow = 62; // where there is room
const mostName = 280; // pixels that a name is wide at most, and
const leastName = 140; // where there are several columns
const below = 40; // pixels between the names and what is said below a fish above them, if there is room
const fishRoom = 92; // pixels of the way around that a fish needs
const surface = 44; // pixels of air above the water

/** layout places the fish and names of a bus in a bowl of so many pixels. before is the layout that was to be seen until now. */
export function layout(bus, width, height, before = { fish: [], names: [] }) {
  const shown = new Set([...before.fish.map((f) => f.key), ...before.names.map((n) => n.name)]);
  const narrow = width < 560;
  const middle = { x: width / 2, y: (height + surface) / 2 };
  const rx = width / 2 - (narrow ? 50 : 76);
  const ry = (height - surface) / 2 - 58;
  const gap = narrow ? 0 : 20;
  const inside = narrow ? width - 208 : rx * 2 - 220; // pixels between the fish on both sides
  const columns = Math.max(1, Math.min(width < 1000 ? 2 : 3, Math.floor(inside / (leastName + 3 * gap))));
  const tall = 2 * ry - (narrow ? 110 : 90);
  const rows = Math.max(2, Math.floor(tall / row));
  const names = placeNames(chooseNames(namesOf(bus), rows * columns, shown), middle, { inside, gap, columns, tall });
  const around = Math.PI * (3 * (rx + ry) - Math.sqrt((3 * rx + ry) * (rx + 3 * ry)));
  const fit = Math.floor((around / fishRoom) * (narrow ? 1 : 0.8)); // a side may have more than its half of them
  const fish = placeFish(chooseKsocks(ksocksOf(bus), fit, shown), replying(bus), { middle, rx, ry, roomy: narrow ? fit : fit * 0.7, large: width > 1100 });
  return {
    width, height, surface, middle, names, fish,
    hidden: { fish: ksocksOf(bus).length - fish.length + (bus.picture?.left_out.ksocks ?? 0), names: namesOf(bus).length - names.length + (bus.picture?.left_out.names ?? 0) },
  };
}

function replying(bus) {
  return new Set((bus.picture?.bindings ?? []).filter((b) => b.as !== 'Listener').map((b) => b.ksock));
}

// worth is what something does in a second. Who is seen makes way only for who does much more, or all would come and go each second.
function worth(rate, seen) {
  return seen ? 2 * rate + 3 : rate;
}

// chooseNames takes those that are used most, and gives them in the order of the alphabet.
function chooseNames(names, most, shown) {
  const of = (n) => worth(n.rate, shown.has(n.name));
  return [...names]
    .sort((a, b) => of(b) - of(a) || b.messages - a.messages || compare(a.name, b.name))
    .slice(0, most)
    .sort((a, b) => compare(a.name, b.name));
}

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

function placeNames(names, middle, { inside, gap, columns, tall }) {
  const used = Math.max(1, Math.min(columns, Math.ceil(names.length / 5)));
  const width = Math.max(96, Math.min(mostName, Math.floor(inside / used) - 3 * gap));
  const rows = Math.ceil(names.length / used);
  const step = Math.max(row, Math.min(wideRow, (tall - below) / rows));
  return names.map((name, i) => {
    const column = Math.floor(i / rows);
    const inColumn = Math.min(rows, names.length - column * rows);
    return {
      name: name.name, of: name, width,
      x: middle.x + (column - (used - 1) / 2) * (width + 3 * gap),
      y: middle.y + ((i % rows) - (inColumn - 1) / 2) * step,
    };
  });
}

// chooseKsocks takes those with which something is the matter, then those that do most; in the order of their numbers.
function chooseKsocks(ksocks, most, shown) {
  const of = (k) => worth(k.out + k.in, shown.has(keyOf(k)));
  return [...ksocks]
    .sort((a, b) => trouble(b).length - trouble(a).length || of(b) - of(a) || a.ksock - b.ksock)
    .slice(0, most)
    .sort((a, b) => a.ksock - b.ksock);
}

function placeFish(ksocks, repliers, { middle, rx, ry, roomy, large }) {
  const right = ksocks.filter((k) => repliers.has(k.ksock));
  const left = ksocks.filter((k) => !repliers.has(k.ksock));
  const share = ksocks.length === 0 ? 0.5 : Math.min(0.72, Math.max(0.28, left.length / ksocks.length));
  const scale = (large ? 1.25 : 1) * (ksocks.length > roomy ? 0.85 : 1);
  const arc = (list, centre, part) =>
    list.map((k, i) => {
      const angle = angleAt(rx, ry, centre, list.length === 1 ? 0 : part * 0.88 * ((i + 0.5) / list.length - 0.5));
      return {
        key: keyOf(k), ksock: k.ksock, of: k, scale, faces: centre === 0 ? 'left' : 'right',
        x: middle.x + Math.cos(angle) * rx, y: middle.y + Math.sin(angle) * ry,
      };
    });
  // From the top on both sides, so that the first of each is above.
  return [...arc([...left].reverse(), Math.PI, share), ...arc(right, 0, 1 - share)];
}

// angleAt goes a part of the way around an ellipse, from an angle on. Equal parts are equally long, so nothing crowds at the ends.
function angleAt(rx, ry, from, part) {
  const steps = 180;
  const step = (a) => Math.hypot(rx * Math.sin(a), ry * Math.cos(a));
  let whole = 0;
  for (let i = 0; i < steps; i++) whole += step((2 * Math.PI * i) / steps);
  let left = Math.abs(part) * whole;
  let angle = from;
  for (let i = 0; i < steps && left > 0; i++) {
    const length = step(angle);
    angle += (Math.sign(part) * Math.min(1, left / length) * 2 * Math.PI) / steps;
    left -= length;
  }
  return angle;
}

/** byKsock finds the fish of a Ksock, also of one that passes: passers are those of the bus as it is now. */
export function byKsock(placed, passers = []) {
  const fish = new Map(placed.fish.map((f) => [f.key, f]));
  for (const p of passers) {
    for (const k of p.ksocks) {
      if (!fish.has(k) && fish.has(keyOf({ ...p, passing: true }))) fish.set(k, fish.get(keyOf({ ...p, passing: true })));
    }
  }
  return fish;
}

/** lines gives the bindings between fish and names that are both to be seen. */
export function lines(bus, placed) {
  const fish = byKsock(placed);
  const names = new Map(placed.names.map((n) => [n.name, n]));
  const seen = new Set();
  const found = [];
  for (const b of bus.picture?.bindings ?? []) {
    const f = fish.get(b.ksock);
    const n = names.get(b.name);
    const key = `${b.ksock} ${b.as} ${b.name}`;
    if (!f || !n || seen.has(key)) continue;
    seen.add(key);
    const end = edge(n, f);
    found.push({ key, as: b.as, ksock: b.ksock, name: b.name, from: { x: f.x, y: f.y }, to: end });
  }
  return found;
}

/** edge is where a line from a fish meets a name. */
export function edge(name, fish) {
  return { x: name.x + (Math.sign(fish.x - name.x) * name.width) / 2, y: name.y };
}
