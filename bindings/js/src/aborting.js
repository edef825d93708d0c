// Signals that many operations wait for. Node warns of a leak from the eleventh listener of a signal on, though a program may well
// have a hundred operations end with one; so a signal has one listener for all of them, and none when none of them is left. To say
// how many it may have would be Node's alone, and would change what is the program's.

const watched = new WeakMap(); // by signal: { calls, heard }

/** Has call() called when the signal is aborted, once. Gives the function that takes this back. There may be no signal. */
export function onAbort(signal, call) {
  if (!signal) return () => {};
  const { calls } = watched.get(signal) ?? watch(signal);
  const entry = () => call(); // the same call may be there twice
  calls.add(entry);
  return () => {
    if (calls.delete(entry) && calls.size === 0) unwatch(signal);
  };
}

function watch(signal) {
  const calls = new Set();
  const heard = () => {
    for (const call of calls) call(); // those that are taken back meanwhile are passed over
  };
  const watcher = { calls, heard };
  watched.set(signal, watcher);
  signal.addEventListener('abort', heard);
  return watcher;
}

function unwatch(signal) {
  signal.removeEventListener('abort', watched.get(signal).heard);
  watched.delete(signal);
}
