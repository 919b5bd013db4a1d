// Does the page answer the questions of an admin, from the first symptom to the fix?

import { randomUUID } from 'node:crypto';
import { component, digits, expect, hint, hintLink, openPage, problem, quickTimers, server, test } from './cluster';

test('why does a server have a decryption failure, and how do I fix it', async ({ cluster, page }) => {
  await cluster.saveSettings(quickTimers);
  cluster.agent('app-1', 'service');
  cluster.agent('app-3', 'service');
  await expect.poll(async () => (await cluster.overview()).counts.servers).toBe(2);
  cluster.agent('web-2', 'service', { key: 'another key' });
  await openPage(page, cluster.url);
  await expect(page.getByTestId('verdict')).toHaveText('1 of 3 servers needs attention');
  await expect(page.getByTestId('problems')).toHaveText('web-2 uses a different encryption key');
  await hintLink(page, 'web-2', 'service', 'Encryption key').click();
  const cure = hint(page, 'key-mismatch-web-2');
  await expect(cure).toBeInViewport();
  await expect(cure).toContainText('web-2 uses a different encryption key');
  await expect(cure, 'the evidence names the servers with each key').toContainText(
    `2 servers share key ${digits('the key of the cluster')}: app-1 and app-3; ${digits('another key')} is on web-2.`,
  );
  await expect(cure.getByRole('listitem')).toHaveText([
    /configuration file.*must be the same on all servers/,
    /older configuration file.*environment variable/,
    /restart the product on web-2/,
    /accept it instead/,
  ]);
  await expect(cure.locator('.avoid')).toContainText('Do not let a container platform restart web-2');

  await cluster.endProcess('web-2 service', 'SIGTERM');
  cluster.agent('web-2', 'service');
  await expect(cure).toHaveCount(0);
  await expect(page.getByTestId('verdict')).toHaveText('All 3 servers are in sync');
});

test('why is my web component stale although the server is up', async ({ cluster, page }) => {
  // The shortest web window is a minute.
  test.setTimeout(110_000);
  await cluster.saveSettings(quickTimers);
  await cluster.sendHeartbeat({ server: 'web-1', role: 'web' });
  await cluster.keepSendingHeartbeats([{ server: 'web-1' }, { server: 'app-1' }]);
  await openPage(page, cluster.url);
  const web = component(page, 'web-1', 'web');
  await expect(web).toHaveAttribute('data-pulse', 'alive');
  await expect(web).toHaveAttribute('data-pulse', 'stale', { timeout: 70_000 });
  await expect(server(page, 'web-1'), 'a warning, not an error').toHaveAttribute('data-health', 'warning');
  await expect(component(page, 'web-1', 'service')).toHaveAttribute('data-pulse', 'alive');
  await expect(page.getByTestId('problems').getByText('The web component of web-1 has received no requests')).toBeVisible();
  await expect(problem(page, 'web-1', 'web', 'Heartbeat')).toContainText('a web component is stale after 1 min');
  await hintLink(page, 'web-1', 'web', 'Heartbeat').click();
  const cure = page.locator('[data-hint="web-idle"]');
  await expect(cure).toBeInViewport();
  await expect(cure).toContainText('A web component sends a heartbeat only when it serves a request');
  await expect(cure).toContainText('behind a sticky load balancer');
  await expect(cure.getByRole('listitem').first()).toContainText('Open a page of the product on web-1 itself');
  await cluster.sendHeartbeat({ server: 'web-1', role: 'web' });
  await expect(cure).toHaveCount(0);
  await expect(web).toHaveAttribute('data-pulse', 'alive');
});

test('why does a machine key differ', async ({ cluster, page }) => {
  await cluster.saveSettings(quickTimers);
  const web = (name: string, machineKey: string) => ({ server: name, role: 'web' as const, version: '5.3.40', machineKey });
  await cluster.sendHeartbeats([web('web-1', 'm'), web('web-2', 'm'), web('web-3', 'other')]);
  await openPage(page, cluster.url);
  await expect(page.getByTestId('problems').getByText('web-3 uses a different machine key')).toBeVisible();
  await hintLink(page, 'web-3', 'web', 'Encryption key').click();
  const cure = page.locator('[data-hint="machine-key-mismatch"]');
  await expect(cure).toBeInViewport();
  await expect(cure).toContainText(`2 servers share machine key ${digits('m')}: web-1 and web-2; ${digits('other')} is on web-3.`);
  await expect(cure).toContainText('Users who move from one web server to another are signed out.');
  await expect(cure.getByRole('listitem').first()).toContainText('Set the same machine key on all web servers.');
  await cluster.sendHeartbeat(web('web-3', 'm'));
  await expect(cure).toHaveCount(0);
  await expect(server(page, 'web-3')).toHaveAttribute('data-health', 'ok');
});

test('why is a removed server back, and how do I remove it for good', async ({ cluster, page }) => {
  await cluster.saveSettings({ ...quickTimers, heartbeat_interval_s: 2, stale_timeout_s: 6 });
  await cluster.keepSendingHeartbeats([{ server: 'app-2' }]);
  cluster.agent('app-1', 'service');
  await openPage(page, cluster.url);
  await server(page, 'app-1').getByRole('link', { name: 'app-1' }).click();
  await page.getByRole('link', { name: 'Remove service' }).click();
  await page.getByRole('button', { name: 'Remove' }).click();
  await page.getByRole('button', { name: 'Remove anyway' }).click();
  const why = page.locator('[data-hint="came-back"]');
  await expect(why).toContainText('app-1 has reappeared after its removal');
  await expect(why).toContainText('without a restart');
  await expect(why.getByRole('listitem').first()).toContainText('stop it on app-1 first, then remove it');

  await cluster.endProcess('app-1 service', 'SIGTERM');
  await expect(component(page, 'app-1', 'service')).toHaveAttribute('data-pulse', 'stopped');
  await why.getByRole('link', { name: 'Remove', exact: true }).click();
  await page.getByRole('button', { name: 'Remove' }).click();
  await expect(server(page, 'app-1')).toHaveCount(0);
  await expect(why).toHaveCount(0);
  await expect(page.getByTestId('verdict')).toHaveText('The server is in sync');
  expect((await cluster.overview()).counts.servers).toBe(1);
});

test('why does my service keep restarting, and since when', async ({ cluster, page }) => {
  await cluster.saveSettings(quickTimers);
  await cluster.sendHeartbeats([{ server: 'app-1' }, { server: 'app-2' }]);
  await cluster.keepSendingHeartbeats([{ server: 'app-2' }]);
  for (let start = 0; start < 3; start += 1) {
    await cluster.sendHeartbeat({ server: 'app-1', boot_id: randomUUID(), version: '2026.2.2' });
  }
  await cluster.keepSendingHeartbeats([{ server: 'app-1', version: '2026.2.2' }]);
  await openPage(page, cluster.url);
  await expect(page.getByTestId('problems').getByText('The service of app-1 keeps restarting')).toBeVisible();
  const service = component(page, 'app-1', 'service');
  await expect(service, 'its heartbeats arrive in time').toHaveAttribute('data-pulse', 'alive');
  await expect(server(page, 'app-1')).toHaveAttribute('data-health', 'warning');
  await expect(problem(page, 'app-1', 'service', 'Heartbeat')).toContainText('it has started 3 times since');
  await hintLink(page, 'app-1', 'service', 'Heartbeat').click();
  const cure = page.locator('[data-hint="service-restarting"]');
  await expect(cure).toBeInViewport();
  await expect(cure).toContainText(/It started 3 times between \d\d:\d\d:\d\d UTC and \d\d:\d\d:\d\d UTC/);
  await expect(cure).toContainText('Each process ended without saying so: it crashed or was killed.');
  await expect(cure).toContainText('All of this began with version 2026.2.2.');
  await expect(cure.getByRole('listitem').first()).toContainText('Read the end of its log on app-1 before each start');
  await page.getByRole('link', { name: 'app-1', exact: true }).click();
  await expect(page.getByRole('dialog', { name: 'app-1' })).toContainText('Status since');
});

test('half of my servers vanished at once: is it the overview', async ({ cluster, page }) => {
  await cluster.saveSettings(quickTimers);
  await cluster.keepSendingHeartbeats([{ server: 'web-1', ip: '10.0.1.1' }, { server: 'web-1', role: 'web', ip: '10.0.1.1' }]);
  const apps = [1, 2, 3].map((number) => ({ server: `app-${number}`, ip: `10.0.2.${number}` }));
  const stop = await cluster.keepSendingHeartbeats(apps);
  await openPage(page, cluster.url);
  await expect(page.getByTestId('verdict')).toHaveText('All 4 servers are in sync');
  await stop();
  const cause = page.locator('[data-hint="many-silent"]');
  await expect(cause).toContainText('3 of 4 services stopped reporting at the same time', { timeout: 15_000 });
  await expect(cause).toContainText('The overview and its database work');
  await expect(cause).toContainText('Only they are in the network 10.0.2.0/24.');
  await expect(cause).toContainText('app-1, app-2 and app-3');
  await expect(page.locator('[data-hint]'), 'it replaces the hint of each service').toHaveCount(1);
  await hintLink(page, 'app-2', 'service', 'Heartbeat').click();
  await expect(cause).toBeInViewport();
  await cluster.keepSendingHeartbeats(apps);
  await expect(cause).toHaveCount(0);
});

test('why is one server shown as two', async ({ cluster, page }) => {
  await cluster.sendHeartbeats([{ server: 'web-1', role: 'web' }, { server: 'WEB-1.corp.example' }, { server: 'app-1' }]);
  await openPage(page, cluster.url);
  const cure = hint(page, 'same-machine-web-1');
  await expect(cure).toContainText('web-1 and WEB-1.corp.example have the address 10.0.0.11 and the same host name');
  await expect(cure.getByRole('listitem').first()).toContainText('start their agents with the same --name');
  await hintLink(page, 'web-1', 'web', 'Heartbeat').click();
  await expect(cure).toBeInViewport();
});
