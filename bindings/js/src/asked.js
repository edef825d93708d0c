// The Requests that the bus still owes an answer to.
//
// The bus promises each accepted Request one Reply or Status. A daemon can die; so every Ksock keeps this list, and when its
// bus is lost it gives itself the answers: a Status `$.KBUS.Bus.GoneAway` for each Request that is left.

const keyOf = ({ network, serial }) => `${network}:${serial}`;

/** Ids in the order of sending. The same id may be there twice, if the sender chose it twice. */
export class Asked {
  #open = new Map(); // by key: the id, and how often it is there

  /** A Request was accepted, or waits for room. */
  add(id) {
    const key = keyOf(id);
    this.#open.set(key, { id, count: (this.#open.get(key)?.count ?? 0) + 1 });
  }

  /** It has its answer, or was never delivered. */
  remove(id) {
    const key = keyOf(id);
    const entry = this.#open.get(key);
    if (entry === undefined) return;
    if (entry.count > 1) entry.count -= 1;
    else this.#open.delete(key);
  }

  /** The ids that are left. They are left no longer. */
  takeAll() {
    const ids = [...this.#open.values()].flatMap(({ id, count }) => new Array(count).fill(id));
    this.#open.clear();
    return ids;
  }
}
