// Starts the page's wasm half in the words of its language; the address of this file says which build it
// belongs to. A file that does not come is asked for again: behind a balancer, while servers are updated, the
// next server may have it.
const MAX_TRIES = 14;
const here = (name) => new URL(name, import.meta.url);
const persist = async (get, tries = 0) => {
  try {
    return await get(tries ? `?${tries}` : '');
  } catch (error) {
    if (tries >= MAX_TRIES) throw error;
    await new Promise((resolve) => { setTimeout(resolve, 300 * (tries + 1) * Math.random()); });
    return persist(get, tries + 1);
  }
};
const module = (name) => persist((query) => import(here(name + query)));
const file = (name) => persist(async (query) => {
  const answer = await fetch(here(name + query));
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  return answer;
});
const { lang } = document.documentElement;
const [{ default: init, hydrate }, { date, number }, words, wasm] = await Promise.all([
  module('app.js'),
  module('locale.js'),
  file(`messages-${lang}.txt`).then((answer) => answer.text()),
  file('app_bg.wasm'),
]);
await init({ module_or_path: wasm });
hydrate(lang, words, number, date);
