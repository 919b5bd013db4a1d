// Starts the page's wasm half in the words of its language; the address of this file says which build it
// belongs to.
import init, { hydrate } from './app.js';
import { date, number } from './manner.js';

const here = (name) => new URL(name, import.meta.url);
const { lang } = document.documentElement;
const [words] = await Promise.all([
  fetch(here(`words-${lang}.txt`)).then((answer) => answer.text()),
  init({ module_or_path: here('app_bg.wasm') }),
]);
hydrate(lang, words, number, date);
