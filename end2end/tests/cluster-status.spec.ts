// What does the page show of real agents that start, stop and fail?

import { component, expect, hintLink, problem, quickTimers, server, test, value, waitForHydration } from './cluster';

test('servers appear on the page as soon as their agents report', async ({ cluster, page }) => {
  await page.goto(cluster.url);
  await waitForHydration(page);
  await expect(page.getByTestId('verdict')).toHaveText('Waiting for the first server');
  await cluster.saveSettings(quickTimers);
  for (const name of ['web-1', 'web-2', 'app-3']) cluster.agent(name, 'service');
  cluster.agent('web-1', 'web');
  await expect(page.getByTestId('verdict')).toHaveText('All 3 servers are in sync');
  await expect(component(page, 'web-1', 'web')).toHaveAttribute('data-pulse', 'alive');
  await expect(server(page, 'app-3')).toHaveAttribute('data-health', 'ok');
});

test('a killed service is late, then stale within two seconds of its timeout, and alive again after a restart', async ({ cluster, page }) => {
  await cluster.saveSettings(quickTimers);
  cluster.agent('web-1', 'service');
  cluster.agent('app-4', 'service');
  await page.goto(cluster.url);
  await waitForHydration(page);
  const service = component(page, 'app-4', 'service');
  await expect(service).toHaveAttribute('data-pulse', 'alive');
  await expect(page.getByTestId('verdict')).toHaveText('All 2 servers are in sync');

  await cluster.endProcess('app-4 service', 'SIGKILL');
  await expect(service).toHaveAttribute('data-pulse', 'late');
  await expect(page.locator('[data-hint="service-late"]')).toContainText('app-4');
  await expect(service).toHaveAttribute('data-pulse', 'stale', { timeout: 10_000 });
  const seen = Date.now();

  const overview = await cluster.overview();
  const facts = overview.servers.find((s: { name: string }) => s.name === 'app-4').components[0];
  const staleAt = Date.parse(facts.last_heartbeat) + quickTimers.stale_timeout_s * 1000;
  expect(seen - staleAt, 'not before the timeout').toBeGreaterThan(-100);
  expect(seen - staleAt, 'at most two seconds after it').toBeLessThan(2_000);

  await expect(server(page, 'app-4')).toHaveAttribute('data-health', 'error');
  await expect(server(page, 'app-4').getByRole('img', { name: 'Error' })).toHaveCount(1);
  await expect(problem(page, 'app-4', 'service', 'Heartbeat')).toContainText(/a service is stale after 4 s/);
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

test('a wrong key is a decryption failure on that server only, one click from its hint', async ({ cluster, page }) => {
  await cluster.saveSettings(quickTimers);
  cluster.agent('web-1', 'service');
  cluster.agent('web-3', 'service');
  await page.goto(cluster.url);
  await waitForHydration(page);
  await expect(page.getByTestId('verdict')).toHaveText('All 2 servers are in sync');
  cluster.agent('web-2', 'service', { key: 'another key' });
  await expect(problem(page, 'web-2', 'service', 'Encryption key')).toContainText('Decryption failure');
  for (const name of ['web-1', 'web-3']) {
    await expect(value(page, name, 'Encryption key')).toContainText('In sync');
    await expect(server(page, name)).toHaveAttribute('data-health', 'ok');
  }
  await hintLink(page, 'web-2', 'service', 'Encryption key').click();
  await expect(page).toHaveURL(/#hint-key-mismatch-web-2$/);
  await expect(page.locator('#hint-key-mismatch-web-2')).toBeInViewport();
});

test('the page, `status` and the API agree on which server is older', async ({ cluster, page }) => {
  await cluster.saveSettings(quickTimers);
  cluster.agent('web-1', 'service');
  cluster.agent('web-2', 'service');
  cluster.agent('web-3', 'service', { version: '2026.1.9' });
  await page.goto(cluster.url);
  await waitForHydration(page);
  await expect(problem(page, 'web-3', 'service', 'Version')).toContainText('older');
  await expect(page.locator('[data-hint="version-skew"]')).toContainText('web-3 (2026.1.9)');
  const overview = await cluster.overview();
  expect(overview.hints.map((hint: { id: string }) => hint.id)).toEqual(['version-skew']);
  const terminal = cluster.status();
  expect(terminal.status, 'a warning').toBe(1);
  expect(terminal.stdout).toContain('Older: web-3 (2026.1.9)');
  expect(cluster.status('http://127.0.0.1:1').status, 'nothing listens there').toBe(3);
});

test('a service that stops cleanly is shown as stopped, not as stale', async ({ cluster, page }) => {
  await cluster.saveSettings(quickTimers);
  cluster.agent('app-5', 'service');
  await page.goto(cluster.url);
  await waitForHydration(page);
  await expect(component(page, 'app-5', 'service')).toHaveAttribute('data-pulse', 'alive');
  await cluster.endProcess('app-5 service', 'SIGTERM');
  await expect(component(page, 'app-5', 'service')).toHaveAttribute('data-pulse', 'stopped');
  await expect(server(page, 'app-5')).toHaveAttribute('data-health', 'warning');
});

test('a new overview shows itself as healthy', async ({ cluster, page }) => {
  await cluster.endProcess('serve', 'SIGTERM');
  await cluster.start('web,service');
  await page.goto(cluster.url);
  await waitForHydration(page);
  await expect(page.getByTestId('verdict')).toHaveText('The server is in sync');
  await expect(component(page, 'this-server', 'web')).toHaveAttribute('data-pulse', 'alive');
  await expect(component(page, 'this-server', 'service')).toHaveAttribute('data-pulse', 'alive');
});
