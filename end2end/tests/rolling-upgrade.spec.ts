// Does the page load behind a load balancer while its servers are upgraded? Each server has the files of its own
// build only, and any of them may get the request for a file.

import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Browser } from '@playwright/test';
import { Cluster, expect, freePort, test } from './cluster';
import { startNginx } from './nginx';

const site = join(__dirname, '../../target/site');
const LOADS = 10;
const CONCURRENT_LOADS = 5;
/** Shorter than the time after which a page that did not start reloads. */
const HYDRATION_TIMEOUT_MS = 25_000;

/** Starts a server of the next build: the same program with the site's folder replaced. */
async function startNextBuild(cluster: Cluster) {
  const folder = mkdtempSync(join(tmpdir(), 'overview-next-'));
  const hash = readFileSync(join(site, 'hash'), 'utf8').trim();
  const next = hash.split('').reverse().join('');
  cpSync(site, folder, { recursive: true });
  renameSync(join(folder, 'assets', hash), join(folder, 'assets', next));
  writeFileSync(join(folder, 'hash'), next);
  const port = await freePort();
  const serve = `mount --bind '${folder}' '${site}' && exec '${cluster.program}' serve --auth none --listen 127.0.0.1:${port} \
    --database 'sqlite:${join(folder, 'overview.db')}' --join-token-file '${join(cluster.folder, 'join-token')}' --report-self none`;
  const child = spawn('unshare', ['--map-root-user', '--mount', 'sh', '-c', serve], { stdio: ['ignore', 'pipe', 'pipe'] });
  cluster.collectOutput('serve of the next build', child);
  await expect.poll(() => fetch(`http://127.0.0.1:${port}/healthz`).then(({ status }) => status, () => 0)).toBe(200);
  const page = await (await fetch(`http://127.0.0.1:${port}/`)).text();
  expect(page, 'it is another build').toContain(`/assets/${next}/app.css`);
  const end = async () => {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await gone;
    rmSync(folder, { recursive: true, force: true });
  };
  return { port, end };
}

/** Opens the page with an empty cache; returns the milliseconds until it was hydrated and styled. */
async function measureLoad(browser: Browser, address: string) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const begun = performance.now();
  await page.goto(address);
  await expect(page.locator('html')).toHaveAttribute('data-hydrated', 'true', { timeout: HYDRATION_TIMEOUT_MS });
  await expect(page.locator('.page-header')).toHaveCSS('display', 'flex', { timeout: HYDRATION_TIMEOUT_MS });
  const took = performance.now() - begun;
  await expect(page.locator('#not-live')).toBeHidden();
  await context.close();
  return Math.round(took);
}

test('every load of the page works, with its style', async ({ cluster, browser }) => {
  test.setTimeout(120_000);
  const next = await startNextBuild(cluster);
  const port = await freePort();
  const address = `http://127.0.0.1:${port}/`;
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${kind};`).join(' ');
  const end = await startNginx(`daemon off; pid nginx.pid; events {} http { access_log off; ${temporary}
    upstream servers { server 127.0.0.1:${new URL(cluster.url).port}; server 127.0.0.1:${next.port}; }
    server { listen 127.0.0.1:${port}; location / {
      proxy_pass http://servers; proxy_http_version 1.1; proxy_set_header Host $http_host;
    } } }`, address);
  const times: number[] = [];
  while (times.length < LOADS) {
    times.push(...await Promise.all(Array.from({ length: CONCURRENT_LOADS }, () => measureLoad(browser, address))));
  }
  console.log(`hydrated after ${times.sort((a, b) => a - b).join(', ')} ms`);
  await end();
  await next.end();
});
