// The stream of kbus-web. The browser itself tries again when it breaks off; it gives up for good only when the server answers with
// something else than a stream, and that is said.

const kinds = ['hello', 'bus', 'picture', 'past', 'beat', 'lost', 'full', 'end'];

/** feed calls take with each update: its kind and what is in it. */
export function feed(address, take) {
  const source = new EventSource(address);
  for (const kind of kinds) source.addEventListener(kind, (e) => take(kind, JSON.parse(e.data)));
  source.addEventListener('error', () => take(source.readyState === EventSource.CLOSED ? 'over' : 'closed'));
  return source;
}
