// Takes the README's pictures from the demo: light, dark and narrow, in the scene in which a key, a
// service, a version and a stopped server are wrong at once. `cargo xtask screenshots` runs it.

import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from '@playwright/test';

const SCENE = ['key-mismatch', 'service-stale', 'service-stopped', 'version-skew'];
const PICTURES = [
  { name: 'light', colorScheme: 'light', viewport: { width: 1440, height: 900 } },
  { name: 'dark', colorScheme: 'dark', viewport: { width: 1440, height: 900 } },
  { name: 'narrow', colorScheme: 'light', viewport: { width: 390, height: 844 } },
];
const folder = join(import.meta.dirname, 'pictures');

function started(demo) {
  return new Promise((resolve, reject) => {
    let said = '';
    demo.stdout.on('data', (chunk) => {
      said += chunk;
      const url = said.match(/Cluster Overview at (\S+)/);
      if (url) resolve(url[1]);
    });
    demo.once('exit', (code) => reject(new Error(`the demo ended with ${code}: ${said}`)));
  });
}

// The scene comes once a round; a round takes less than two minutes.
async function scene(url) {
  for (const end = Date.now() + 120_000; Date.now() < end; ) {
    const overview = await (await fetch(new URL('api/v1/overview', url))).json();
    const ids = overview.hints.map((hint) => hint.id).sort();
    if (ids.join() === SCENE.join()) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(`the demo never showed ${SCENE.join(', ')} and nothing else`);
}

const demo = spawn(process.env.CLUSTER_OVERVIEW_BIN, ['demo', '--listen', '127.0.0.1:0'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
});
try {
  const url = await started(demo);
  mkdirSync(folder, { recursive: true });
  await scene(url);
  for (const { name, ...as } of PICTURES) {
    const page = await browser.newPage(as);
    await page.goto(url);
    await page.locator('html[data-hydrated]').waitFor({ state: 'attached' });
    await page.screenshot({ path: join(folder, `${name}.png`) });
    await page.close();
    console.log(join(folder, `${name}.png`));
  }
} finally {
  await browser.close();
  demo.kill('SIGTERM');
}
