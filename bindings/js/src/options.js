// What a program may say to a function beside what it must: its options. One that a function does not know is an error, for it
// would pass unseen: a Replier would be a Listener, and a limit of time would be none. All is judged before anything is asked of the
// bus, so that who is told of a mistake has done nothing.

/** How an option is shown to who has given something else. */
const EXAMPLES = {
  replier: '{ replier: true }', timeout: '{ timeout: 1000 }', signal: '{ signal }', mode: '{ mode: \'r\' }', flags: '{ flags: URGENT }',
};

/** Options that every function has the same way, and what each is. */
const KINDS = {
  timeout: { is: (value) => typeof value === 'number' && !Number.isNaN(value), text: 'a time limit is a number of milliseconds' },
  signal: { is: (value) => typeof value.throwIfAborted === 'function', text: 'the signal is an AbortSignal, as an AbortController has one' },
};

/** A value, for an error. */
export function shown(value) {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return 'a function';
  return typeof value === 'object' && value !== null ? Object.prototype.toString.call(value) : String(value);
}

/**
 * The options that were given to a function, of those that it knows, which are named in the order of their use. TypeError for
 * anything else. One that is undefined or null was not given.
 */
export function optionsOf(what, given, known = ['signal']) {
  const isOne = typeof given === 'object' && given !== null && !Array.isArray(given) && !KINDS.signal.is(given);
  if (!isOne) throw new TypeError(`${what}: options are an object such as ${EXAMPLES[known[0]]}, not ${shown(given)}`);
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new TypeError(`${what}: unknown option ${JSON.stringify(unknown)}${instead(unknown, known)}`);
  const said = {};
  for (const name of known) {
    const value = given[name];
    if (value === undefined || value === null) continue;
    const kind = KINDS[name];
    if (kind !== undefined && !kind.is(value)) throw new TypeError(`${what}: ${kind.text}, not ${shown(value)}`);
    said[name] = value;
  }
  return said;
}

/** A number of 32 bits. RangeError for any other value. */
export function word(what, value) {
  if (Number.isInteger(value) && value >= 0 && value <= 0xffffffff) return value;
  throw new RangeError(`${what}: ${shown(value)} is no number of 32 bits`);
}

function instead(name, known) {
  const near = known.find((other) => distance(name.toLowerCase(), other.toLowerCase()) <= 2);
  return near === undefined ? `; there is ${known.join(', ')}` : `; did you mean ${JSON.stringify(near)}?`;
}

/** How many letters must be added, left out or changed to make one word of another. */
function distance(from, to) {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 0; i < from.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < to.length; j++) next.push(Math.min(row[j + 1] + 1, next[j] + 1, row[j] + Number(from[i] !== to[j])));
    row = next;
  }
  return row.at(-1);
}
