// Keeps the list of new servers up to date without a reload, so that the focus stays and a screen reader says only what is
// new. Without scripts the document reloads itself.
import { formatTimes } from './times.js';

const PERIOD_MS = 3_000;
const list = document.querySelector('[data-servers]');

const update = async () => {
  if (document.hidden) return;
  const response = await fetch(location.href);
  const found = new DOMParser().parseFromString(await response.text(), 'text/html').querySelector('[data-servers]');
  // Another document, such as that of an error, has no list.
  if (!found || found.dataset.servers === list.dataset.servers) return;
  formatTimes(found);
  list.dataset.servers = found.dataset.servers;
  list.replaceChildren(...found.childNodes);
};

// The overview may not answer at present; the next attempt follows.
setInterval(() => update().catch(() => {}), PERIOD_MS);
