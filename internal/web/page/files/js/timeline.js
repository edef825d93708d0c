// The time line at the foot of the page: pause, steps, a slider, and above it how much was said and when something was wrong.

import { colourOf, say } from './dom.js';
import { clock, duration } from './words.js';

const mostColumns = 120;

export class TimeLine {
  /** changed is called with the moment to be shown, null for now. */
  constructor(document, history, changed) {
    this.history = history;
    this.changed = changed;
    this.at = null;
    for (const id of ['pause', 'back', 'forward', 'now', 'moment', 'when', 'marks']) this[id] = document.getElementById(id);
    this.pause.addEventListener('click', () => this.go(this.at === null ? history.last : null));
    this.now.addEventListener('click', () => this.go(null));
    this.back.addEventListener('click', () => this.go(history.step(this.at ?? history.last, -1)));
    this.forward.addEventListener('click', () => this.go(history.step(this.at ?? history.last, 1)));
    this.moment.addEventListener('input', () => this.go(Number(this.moment.value)));
    this.moment.addEventListener('keydown', (e) => this.#key(e));
  }

  // The arrows go from state to state; by themselves they would go a hair's breadth.
  #key(e) {
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[e.key];
    if (!by) return;
    e.preventDefault();
    this.go(this.history.step(this.at ?? this.history.last, by));
  }

  go(at) {
    this.at = at;
    this.update();
    this.changed(at);
  }

  /** update shows where we are. A moment that has been forgotten becomes the first that has not. */
  update() {
    const { first, last } = this.history;
    if (this.at !== null && this.at < first) this.at = first;
    const shown = this.at ?? last;
    this.moment.min = first;
    this.moment.max = last;
    this.moment.value = shown;
    const ago = Math.max(0, (last - shown) / 1000);
    const text = this.at === null ? 'now' : `${duration(ago)} ago (${clock(shown)})`;
    this.moment.setAttribute('aria-valuetext', text);
    say(this.when, text);
    say(this.pause, this.at === null ? 'Pause' : 'Resume');
    this.now.disabled = this.at === null;
    this.forward.disabled = this.at === null;
    this.back.disabled = this.history.states.length < 2;
    this.draw();
  }

  draw() {
    const canvas = this.marks;
    const width = Math.round(canvas.clientWidth * (devicePixelRatio || 1));
    const height = Math.round(canvas.clientHeight * (devicePixelRatio || 1));
    if (width === 0) return;
    [canvas.width, canvas.height] = [width, height];
    const c = canvas.getContext('2d');
    const seconds = (this.history.last - this.history.first) / 1000;
    const marks = this.history.marks(Math.round(Math.max(4, Math.min(mostColumns, width / 4, seconds))));
    const most = Math.max(1, ...marks.map((m) => m.rate));
    const step = width / marks.length;
    const [fine, bad] = [colourOf(canvas.parentElement, '--accent'), colourOf(canvas.parentElement, '--bad')];
    marks.forEach((m, i) => {
      c.fillStyle = m.bad ? bad : fine;
      const tall = Math.max(m.rate > 0 ? 2 : 0, (m.rate / most) * height, m.bad ? height / 3 : 0);
      c.fillRect(i * step, height - tall, Math.max(1, step - 1), tall);
    });
  }
}
