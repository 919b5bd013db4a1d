// Takes the screenshots of the READMEs from the demo: light, dark and narrow, and with the branding of three
// products. They show a wrong key, a stale service, an older version and a stopped server at once.
// `cargo xtask screenshots` runs it.

import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from '@playwright/test';

const SCENE = ['key-mismatch', 'service-stale', 'service-stopped', 'version-skew'];
const PICTURES = [
  { name: 'light', colorScheme: 'light', viewport: { width: 1440, height: 900 } },
  { name: 'dark', colorScheme: 'dark', viewport: { width: 1440, height: 900 } },
  { name: 'narrow', colorScheme: 'light', viewport: { width: 390, height: 844 } },
];
/** Without a branding, and with those of two products. */
const THEMES = [
  { colorScheme: 'light' },
  { branding: 'meadow', colorScheme: 'light' },
  { branding: 'ember', colorScheme: 'dark' },
];
const brandings = join(import.meta.dirname, '../server/examples/branding');
const folder = join(import.meta.dirname, 'screenshots');

function started(demo) {
  return new Promise((resolve, reject) => {
    let text = '';
    demo.stdout.on('data', (chunk) => {
      text += chunk;
      const url = text.match(/Cluster Overview at (\S+)/);
      if (url) resolve(url[1]);
    });
    demo.once('exit', (code) => reject(new Error(`the demo ended with ${code}: ${text}`)));
  });
}

// The demo repeats its scenes, and they are in its first minute.
async function scene(url) {
  for (const end = Date.now() + 120_000; Date.now() < end; ) {
    const overview = await (await fetch(new URL('api/v1/overview', url))).json();
    const ids = overview.hints.map((hint) => hint.id).sort();
    if (ids.join() === SCENE.join()) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(`the demo never showed ${SCENE.join(', ')} and nothing else`);
}

const demos = new Set();

/** Starts a demo with this branding, waits until it plays the scene, and returns its address. */
async function playing(branding) {
  const named = branding ? ['--branding', join(brandings, `${branding}.toml`)] : [];
  const demo = spawn(process.env.CLUSTER_OVERVIEW_BIN, ['demo', '--listen', '127.0.0.1:0', ...named], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  demos.add(demo);
  const url = await started(demo);
  await scene(url);
  return url;
}

async function taken(url, as) {
  const page = await browser.newPage(as);
  await page.goto(url);
  await page.locator('html[data-hydrated]').waitFor({ state: 'attached' });
  const picture = await page.screenshot();
  await page.close();
  return picture;
}

function keep(name, picture) {
  writeFileSync(join(folder, `${name}.png`), picture);
  console.log(join(folder, `${name}.png`));
}

/** Puts pictures side by side. */
async function besides(pictures) {
  const page = await browser.newPage({ viewport: { width: 2160, height: 510 } });
  const images = pictures.map((picture) => `<img src="data:image/png;base64,${picture.toString('base64')}">`);
  await page.setContent(`<style>body { margin: 0; display: flex; gap: 8px } img { width: 0; flex: 1 }</style>${images.join('')}`);
  const together = await page.locator('body').screenshot();
  await page.close();
  return together;
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
});
try {
  mkdirSync(folder, { recursive: true });
  const themes = THEMES.map(async ({ branding, colorScheme }) => {
    const url = await playing(branding);
    if (!branding) for (const { name, ...as } of PICTURES) keep(name, await taken(url, as));
    return taken(url, { colorScheme, viewport: { width: 1120, height: 800 } });
  });
  keep('themes', await besides(await Promise.all(themes)));
} finally {
  await browser.close();
  for (const demo of demos) demo.kill('SIGTERM');
}
