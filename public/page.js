// What the page does besides its wasm module: shortcuts, the icon of the tab, and its place after a reload.
// `start.js` loads it once the page is hydrated.
const TYPING_MS = 400;
const RESTORE_MS = 3_000;
const MAX_FRAMES = 100;
const SETTLING_FRAMES = 30;
const SWITCH = 'cluster-overview-shortcuts';
const PLACE = 'cluster-overview-place';
const find = (selector) => document.querySelector(selector);
const findAll = (selector) => [...document.querySelectorAll(selector)];
const topOf = (element) => element.getBoundingClientRect().top;
// A browser without storage keeps nothing, and all else works.
const stored = (storage, key, value) => {
  try {
    return value ? globalThis[storage].setItem(key, value) : globalThis[storage].getItem(key);
  } catch {
    return null;
  }
};

// The text of an answer of the overview itself, which redirects nowhere; '' if there is none, undefined if nobody waits for it.
const ownText = async (url, signal) => {
  try {
    const answer = await fetch(url, { signal, redirect: 'error' });
    return answer.status === 200 ? await answer.text() : '';
  } catch (error) {
    return error.name === 'AbortError' ? undefined : '';
  }
};

// Tries the timeouts that are typed on the silences of the past.
let typing;
let asked;
addEventListener('input', ({ target: { form } }) => {
  const url = form?.dataset.rehearsal;
  if (!url) return;
  clearTimeout(typing);
  typing = setTimeout(async () => {
    // An answer about what was typed before is of no use any more.
    asked?.abort();
    asked = new AbortController();
    const query = new URLSearchParams(new FormData(form));
    const said = await ownText(`${url}${url.includes('?') ? '&' : '?'}${query}`, asked.signal);
    if (said !== undefined) find('#rehearsal').textContent = said;
  }, TYPING_MS);
});

// What an element names as its source, such as the last events of a server, comes when the element does.
const fill = async () => {
  const empty = find('[data-src]:empty:not([data-fetched])');
  if (!empty) return;
  empty.dataset.fetched = '';
  empty.innerHTML = await ownText(empty.dataset.src);
};
new MutationObserver(fill).observe(find('#app'), { childList: true, subtree: true });
fill();

addEventListener('click', ({ target }) => {
  if (target.closest?.('#configure')) find('#rehearsal').textContent = '';
});

// Shortcuts.
const help = find('#help');
const enabled = find('#shortcuts');
enabled.checked = stored('localStorage', SWITCH) !== 'off';
enabled.addEventListener('change', () => stored('localStorage', SWITCH, enabled.checked ? 'on' : 'off'));

const firstRow = () => findAll('.server').find((row) => topOf(row) >= find('.page-header').offsetHeight);
// The rows of the next chunk may have to come into the document first.
const neighbour = async (row, next, first) => {
  if (!row) return firstRow();
  const chunk = row.parentElement[next];
  if (row[next] || !chunk?.matches('.chunk')) return row[next];
  chunk.scrollIntoView({ block: 'nearest' });
  for (let frames = 0; frames < MAX_FRAMES && !chunk[first]; frames += 1) await new Promise(requestAnimationFrame);
  return chunk[first];
};
let moved = Promise.resolve();
const move = (next, first) => {
  moved = moved.then(async () => {
    const row = await neighbour(document.activeElement.closest('.server'), next, first);
    row?.querySelector('a').focus();
  });
};
const shortcuts = {
  '/': () => find('#search').focus(),
  '?': () => help.showModal(),
  j: () => move('nextElementSibling', 'firstElementChild'),
  k: () => move('previousElementSibling', 'lastElementChild'),
};

addEventListener('keydown', (event) => {
  const { key, target } = event;
  const isBusy = help.open || event.ctrlKey || event.altKey || event.metaKey || target.closest?.('input, textarea, select');
  if (help.open && key === 'Escape') help.close();
  else if (!isBusy && enabled.checked && Object.hasOwn(shortcuts, key)) shortcuts[key]();
  else return;
  // Also so that Escape closes one thing at a time.
  event.preventDefault();
}, true);

const opener = find('#open-help');
if (opener) opener.hidden = false;

addEventListener('click', ({ target }) => {
  if (target !== opener) return;
  // The focus comes back to what opens the menu.
  find('#user').focus();
  opener.closest('details').open = false;
  help.showModal();
});

// Printing.
addEventListener('beforeprint', () => {
  find('#printed').textContent = `${new Date().toLocaleString()} · ${location}`;
});

// The icon follows the verdict, as long as the title says it, too.
const observer = new MutationObserver(() => {
  const says = document.title.startsWith(find('#verdict').textContent);
  const verdict = says ? `-${find('.verdict-icon .icon').classList[1]}` : '';
  const icon = find('link[rel=icon]');
  icon.href = icon.href.replace(/[\w-]+\.svg$/, `favicon${verdict}.svg`);
});
for (const part of ['head', '.verdict-icon']) observer.observe(find(part), { childList: true, subtree: true });

// The place in a list of which only a part is in the document: a chunk, and where a row of it was.
addEventListener('pagehide', () => {
  const row = findAll('.server').find((row) => topOf(row) >= 0);
  const place = scrollY && row ? [location.href, findAll('.chunk').indexOf(row.parentElement), row.id, topOf(row)] : [];
  stored('sessionStorage', PLACE, JSON.stringify(place));
});

const [address, number, id, top] = JSON.parse(stored('sessionStorage', PLACE) ?? '[]');
const until = performance.now() + RESTORE_MS;
const isReturn = performance.getEntriesByType('navigation')[0]?.type !== 'navigate';
// Rows above it get their height only when they come near.
const restore = (frames) => {
  const row = document.getElementById(id);
  if (row) scrollBy(0, topOf(row) - top);
  else findAll('.chunk')[number]?.scrollIntoView();
  if (frames && performance.now() < until) requestAnimationFrame(() => restore(row ? frames - 1 : frames));
};
if (isReturn && address === location.href) restore(SETTLING_FRAMES);
