// Making elements. Text of others becomes text here, never HTML: nothing on this page makes elements of strings.

const svgSpace = 'http://www.w3.org/2000/svg';

/** el makes an element. Of the properties, class, data-, aria- and the like are attributes, on is a click, text its text. */
export function el(tag, properties = {}, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/** svg is el for SVG. */
export function svg(tag, properties = {}, ...children) {
  return fill(document.createElementNS(svgSpace, tag), properties, children);
}

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (name === 'on') element.addEventListener('click', value);
    else if (name === 'text') element.textContent = value;
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((c) => c != null && c !== false));
  return element;
}

/**
 * replace gives a container other children. What has the focus keeps it, by its data-key; and while somebody presses a button
 * in it or marks text, it stays as it is.
 */
export function replace(container, ...children) {
  const marked = document.getSelection();
  if (container.matches(':active') || (marked && !marked.isCollapsed && container.contains(marked.anchorNode))) return;
  const focused = container.contains(document.activeElement) ? document.activeElement.dataset?.key : undefined;
  container.replaceChildren(...children.filter((c) => c != null && c !== false));
  if (focused) [...container.querySelectorAll('[data-key]')].find((e) => e.dataset.key === focused)?.focus({ preventScroll: true });
}

/** say sets a text if it is another, so that a reader is not told again. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** keyed keeps one element for each item: make makes it, update brings it up to date, and those without an item go. */
export function keyed(container, kept, items, key, make, update) {
  const gone = new Set(kept.keys());
  for (const item of items) {
    const k = key(item);
    gone.delete(k);
    if (!kept.has(k)) {
      kept.set(k, make(item));
      container.append(kept.get(k));
    }
    update(kept.get(k), item);
  }
  for (const k of gone) {
    kept.get(k).remove();
    kept.delete(k);
  }
}

/** colourOf gives a colour of css/colours.css as a canvas takes it: as it is within an element now, light or dark. */
export function colourOf(parent, variable) {
  const probe = document.createElement('i');
  probe.style.color = `var(${variable})`;
  parent.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
