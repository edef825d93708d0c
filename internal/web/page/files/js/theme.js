// Light or dark: as the system wants it, until somebody says otherwise; that is remembered, where the browser lets us.

const key = 'kbus-theme';

/** theme makes the switch work, and calls changed when the colours are others. */
export function theme(button, root, changed) {
  const system = matchMedia('(prefers-color-scheme: dark)');
  let chosen = read();
  const isDark = () => (chosen ? chosen === 'dark' : system.matches);
  const show = () => {
    if (chosen) root.dataset.theme = chosen;
    button.setAttribute('aria-pressed', String(isDark()));
    changed();
  };
  button.addEventListener('click', () => {
    chosen = isDark() ? 'light' : 'dark';
    write(chosen);
    show();
  });
  system.addEventListener('change', show);
  show();
}

function read() {
  try {
    const was = localStorage.getItem(key);
    return was === 'dark' || was === 'light' ? was : null;
  } catch {
    return null; // it is not allowed here
  }
}

function write(value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // likewise
  }
}
