// Who hears a message: bindings are matched as the bus matches them, because a message says how many it has reached, but not
// whom.

/** matches reports whether a binding is for a name: "*" stands for any words at the end, "%" for one. */
export function matches(binding, name) {
  const stem = binding.slice(0, -1);
  if (binding.endsWith('.*')) return name.startsWith(stem) && name.length > stem.length;
  if (binding.endsWith('.%')) return name.startsWith(stem) && name.length > stem.length && !name.slice(stem.length).includes('.');
  return binding === name;
}

/** recipients gives the Ksocks that a message has gone to: who must answer or is answered, and the Listeners. */
export function recipients(bindings, message) {
  if (message.refused) return { to: 0, listeners: [] };
  const to = message.to ?? 0;
  const listeners = new Set();
  if (message.kind !== 'Status') {
    for (const b of bindings) {
      if (b.as === 'Listener' && b.ksock !== to && matches(b.name, message.name)) listeners.add(b.ksock);
    }
  }
  return { to, listeners: [...listeners] };
}
