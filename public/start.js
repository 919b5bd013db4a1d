// Loads the page's wasm module and the messages of its language, and hydrates the page. The URL of this file names
// the build. A file that does not arrive is requested again: behind a load balancer, during an upgrade, the next
// server may have it.
const MAX_TRIES = 14;
const resolve = (name) => new URL(name, import.meta.url);
const retry = async (get, tries = 0) => {
  try {
    return await get(tries ? `?${tries}` : '');
  } catch (error) {
    if (tries >= MAX_TRIES) throw error;
    await new Promise((done) => { setTimeout(done, 300 * (tries + 1) * Math.random()); });
    return retry(get, tries + 1);
  }
};
const module = (name) => retry((query) => import(resolve(name + query)));
const file = (name) => retry(async (query) => {
  const response = await fetch(resolve(name + query));
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return response;
});
const { lang } = document.documentElement;
const [{ default: init, hydrate }, { clock, date, number }, { openStream }, messages, wasm] = await Promise.all([
  module('app.js'),
  module('locale.js'),
  module('stream.js'),
  file(`messages-${lang}.txt`).then((response) => response.text()),
  file('app_bg.wasm'),
]);
await init({ module_or_path: wasm });
hydrate(lang, messages, [number, date, clock], openStream);
// What the page does not need to work.
module('page.js');
module('copy.js');
// From now on the list changes without a new document.
addEventListener('click', ({ target }) => {
  const link = target.closest('[download]');
  if (link) link.search = location.search;
});
