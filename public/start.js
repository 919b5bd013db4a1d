// Starts the page's wasm half; the address of this file says which build it belongs to.
import init, { hydrate } from './app.js';

await init({ module_or_path: new URL('app_bg.wasm', import.meta.url) });
hydrate();
