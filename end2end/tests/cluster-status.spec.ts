// Real servers beat, the page judges them: what an admin sees, with agents as separate processes.

import { expect, hydrated, line, quick, server, test } from './cluster';

test('a cluster forms before the eyes of an admin', async ({ cluster, page }) => {
  await page.goto(cluster.url);
  await hydrated(page);
  await expect(page.getByTestId('verdict')).toHaveText('Waiting for the first server');
  await cluster.configure(quick);
  for (const name of ['web-1', 'web-2', 'app-3']) cluster.agent(name, 'service');
  cluster.agent('web-1', 'web');
  await expect(page.getByTestId('verdict')).toHaveText('All 3 servers are in sync');
  await expect(line(page, 'web-1', 'web')).toHaveAttribute('data-pulse', 'alive');
  await expect(server(page, 'app-3')).toHaveAttribute('data-health', 'ok');
});

test('a killed service is late, then stale at the second it should be, and whole again when it returns', async ({ cluster, page }) => {
  await cluster.configure(quick);
  cluster.agent('web-1', 'service');
  cluster.agent('app-4', 'service');
  await page.goto(cluster.url);
  await hydrated(page);
  const service = line(page, 'app-4', 'service');
  await expect(service).toHaveAttribute('data-pulse', 'alive');
  await expect(page.getByTestId('verdict')).toHaveText('All 2 servers are in sync');

  await cluster.end('app-4 service', 'SIGKILL');
  await expect(service).toHaveAttribute('data-pulse', 'late');
  await expect(page.locator('[data-hint="service-late"]')).toContainText('app-4');
  await expect(service).toHaveAttribute('data-pulse', 'stale', { timeout: 10_000 });
  const seen = Date.now();

  const overview = await cluster.overview();
  const facts = overview.servers.find((s: { name: string }) => s.name === 'app-4').components[0];
  const staleAt = Date.parse(facts.last_heartbeat) + quick.stale_timeout_s * 1000;
  expect(seen - staleAt, 'seen no sooner than it was so').toBeGreaterThan(-100);
  expect(seen - staleAt, 'and within two seconds of it').toBeLessThan(2_000);

  await expect(server(page, 'app-4')).toHaveAttribute('data-health', 'error');
  await expect(service).toHaveAttribute('data-health', 'error');
  await expect(server(page, 'app-4').getByRole('img', { name: 'Error' })).toHaveCount(2);
  await expect(service).toContainText(/a service is stale after 4 s/);
  await expect(page.getByTestId('verdict')).toHaveText('1 of 2 servers needs attention');
  const hint = page.locator('[data-hint="service-stale"]');
  await expect(hint).toHaveCount(1);
  await expect(hint).toContainText('The service of app-4 does not respond');
  expect(overview.counts).toMatchObject({ servers: 2, service: 2, alive: 1, stale: 1 });

  cluster.agent('app-4', 'service');
  await expect(service).toHaveAttribute('data-pulse', 'alive');
  await expect(page.getByTestId('verdict')).toHaveText('All 2 servers are in sync');
  await expect(page.locator('[data-hint]')).toHaveCount(0);
});

test('a wrong key is a decryption failure on that server only, one click from its cure', async ({ cluster, page }) => {
  await cluster.configure(quick);
  cluster.agent('web-1', 'service');
  cluster.agent('web-3', 'service');
  await page.goto(cluster.url);
  await hydrated(page);
  await expect(page.getByTestId('verdict')).toHaveText('All 2 servers are in sync');
  cluster.agent('web-2', 'service', { key: 'another key' });
  await expect(line(page, 'web-2', 'service')).toContainText('Decryption failure');
  for (const name of ['web-1', 'web-3']) {
    await expect(line(page, name, 'service')).toContainText('In sync');
    await expect(server(page, name)).toHaveAttribute('data-health', 'ok');
  }
  await line(page, 'web-2', 'service').getByRole('link', { name: /how to fix/ }).click();
  await expect(page).toHaveURL(/#hint-key-mismatch-web-2$/);
  await expect(page.locator('#hint-key-mismatch-web-2')).toBeInViewport();
});

test('page, terminal and API agree on who is behind', async ({ cluster, page }) => {
  await cluster.configure(quick);
  cluster.agent('web-1', 'service');
  cluster.agent('web-2', 'service');
  cluster.agent('web-3', 'service', { version: '2026.1.9' });
  await page.goto(cluster.url);
  await hydrated(page);
  await expect(line(page, 'web-3', 'service')).toContainText('older');
  await expect(page.locator('[data-hint="version-skew"]')).toContainText('web-3 (2026.1.9)');
  const overview = await cluster.overview();
  expect(overview.hints.map((hint: { id: string }) => hint.id)).toEqual(['version-skew']);
  const terminal = cluster.status();
  expect(terminal.status, 'a warning').toBe(1);
  expect(terminal.stdout).toContain('Older: web-3 (2026.1.9)');
  expect(cluster.status('http://127.0.0.1:1').status, 'nobody there').toBe(3);
});

test('a stopped service says goodbye and is not called dead', async ({ cluster, page }) => {
  await cluster.configure(quick);
  cluster.agent('app-5', 'service');
  await page.goto(cluster.url);
  await hydrated(page);
  await expect(line(page, 'app-5', 'service')).toHaveAttribute('data-pulse', 'alive');
  await cluster.end('app-5 service', 'SIGTERM');
  await expect(line(page, 'app-5', 'service')).toHaveAttribute('data-pulse', 'stopped');
  await expect(server(page, 'app-5')).toHaveAttribute('data-health', 'warning');
});

test('a fresh overview shows itself, whole', async ({ cluster, page }) => {
  await cluster.end('serve', 'SIGTERM');
  await cluster.start('web,service');
  await page.goto(cluster.url);
  await hydrated(page);
  await expect(page.getByTestId('verdict')).toHaveText('The server is in sync');
  await expect(line(page, 'this-server', 'web')).toHaveAttribute('data-pulse', 'alive');
  await expect(line(page, 'this-server', 'service')).toHaveAttribute('data-pulse', 'alive');
});
