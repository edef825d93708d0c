// Messages that swim in a bowl, on a canvas above the lines. Where they are is a function of the time (js/swim.js); here they are
// drawn, and nothing is drawn while none swims. The clock stands still while the page is paused.

import { colourOf } from './dom.js';
import { journeys, position, still } from './swim.js';

const variables = [['Announcement', '--announcement'], ['Request', '--request'], ['Reply', '--reply'], ['Status', '--status'], ['Refused', '--bad']];
const trail = [0, 45, 90, 135]; // milliseconds behind

/** Clock is time that can stand still. */
export class Clock {
  #behind = 0;
  #stopped = null;

  now() {
    return (this.#stopped ?? performance.now()) - this.#behind;
  }

  stop() {
    this.#stopped ??= performance.now();
  }

  go() {
    if (this.#stopped !== null) this.#behind += performance.now() - this.#stopped;
    this.#stopped = null;
  }
}

export class Water {
  #swimming = [];
  #frame = 0;

  constructor(canvas, clock) {
    this.canvas = canvas;
    this.clock = clock;
    this.colours = {};
  }

  /** fit makes the canvas as large as the bowl, in pixels of the screen. */
  fit(width, height) {
    const scale = Math.min(2, devicePixelRatio || 1);
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    this.scale = scale;
    this.readColours();
    this.draw();
  }

  readColours() {
    for (const [kind, variable] of variables) this.colours[kind] = colourOf(this.canvas.parentElement, variable);
  }

  /** swim lets messages begin. */
  swim(messages, bus, placed) {
    const now = this.clock.now();
    this.#swimming = still([...this.#swimming, ...journeys(messages, bus, placed, now)], now);
    this.run();
  }

  clear() {
    this.#swimming = [];
    this.draw();
  }

  get count() {
    return this.#swimming.length;
  }

  run() {
    if (this.#frame !== 0 || this.#swimming.length === 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#swimming = still(this.#swimming, this.clock.now());
      this.draw();
      this.run();
    });
  }

  draw() {
    const c = this.canvas.getContext('2d');
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.clearRect(0, 0, this.canvas.width, this.canvas.height);
    c.scale(this.scale, this.scale);
    const now = this.clock.now();
    for (const j of this.#swimming) {
      c.fillStyle = this.colours[j.kind];
      for (const behind of trail) {
        const p = position(j, now - behind);
        if (!p) continue;
        c.globalAlpha = 1 - behind / 170;
        shape(c, j.kind, p, 7 - behind / 34);
      }
    }
    c.globalAlpha = 1;
  }
}

// shape draws a message of a kind: they differ in form, and not in colour alone.
function shape(c, kind, p, r) {
  c.save();
  c.translate(p.x, p.y);
  c.beginPath();
  switch (kind) {
    case 'Request':
      c.rotate(p.angle);
      c.moveTo(-r, -r);
      c.lineTo(r * 1.2, 0);
      c.lineTo(-r, r);
      break;
    case 'Reply':
      c.rect(-r * 0.8, -r * 0.8, r * 1.6, r * 1.6);
      break;
    case 'Status':
      c.rotate(Math.PI / 4);
      c.rect(-r * 0.75, -r * 0.75, r * 1.5, r * 1.5);
      break;
    case 'Refused':
      c.rotate(Math.PI / 4);
      c.rect(-r, -r / 3, 2 * r, (2 * r) / 3);
      c.rect(-r / 3, -r, (2 * r) / 3, 2 * r);
      break;
    default:
      c.arc(0, 0, r * 0.85, 0, 2 * Math.PI);
  }
  c.fill();
  c.restore();
}
