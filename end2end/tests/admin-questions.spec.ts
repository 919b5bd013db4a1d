// The questions an admin comes with, each from the first look to the cure.

import { digits, expect, hint, line, open, quick, server, test, why } from './cluster';

test('why is the encryption a decryption failure, and how does it end', async ({ cluster, page }) => {
  await cluster.configure(quick);
  cluster.agent('app-1', 'service');
  cluster.agent('app-3', 'service');
  await expect.poll(async () => (await cluster.overview()).counts.servers).toBe(2);
  cluster.agent('web-2', 'service', { key: 'another key' });
  await open(page, cluster.url);
  await expect(page.getByTestId('verdict')).toHaveText('1 of 3 servers needs attention');
  await expect(page.getByText("web-2: the encryption key does not match the cluster's.")).toBeVisible();
  await why(page, 'web-2', 'service', 'Encryption key').click();
  const cure = hint(page, 'key-mismatch-web-2');
  await expect(cure).toBeInViewport();
  await expect(cure).toContainText('web-2 uses a different encryption key');
  await expect(cure, 'who shares which key').toContainText(
    `2 servers share key ${digits('the key of the cluster')}: app-1 and app-3; ${digits('another key')} is on web-2.`,
  );
  await expect(cure.getByRole('listitem')).toHaveText([
    /configuration file.*must be the same on all servers/,
    /older configuration file.*environment variable/,
    /restart the product on web-2/,
    /accept its key instead/,
  ]);
  await expect(cure.locator('.avoid')).toContainText('Do not let a container platform restart web-2');

  await cluster.end('web-2 service', 'SIGTERM');
  cluster.agent('web-2', 'service');
  await expect(cure).toHaveCount(0);
  await expect(page.getByTestId('verdict')).toHaveText('All 3 servers are in sync');
});

test('why is my web component stale though the server is up', async ({ cluster, page }) => {
  // A web window is a minute at least.
  test.setTimeout(110_000);
  await cluster.configure(quick);
  await cluster.beat({ server: 'web-1', role: 'web' });
  await cluster.keepBeating([{ server: 'web-1' }, { server: 'app-1' }]);
  await open(page, cluster.url);
  const web = line(page, 'web-1', 'web');
  await expect(web).toHaveAttribute('data-pulse', 'alive');
  await expect(web).toHaveAttribute('data-pulse', 'stale', { timeout: 70_000 });
  await expect(web, 'a warning, no error').toHaveAttribute('data-health', 'warning');
  await expect(line(page, 'web-1', 'service')).toHaveAttribute('data-pulse', 'alive');
  await expect(page.getByText('The web component of web-1 has received no requests for a long time.')).toBeVisible();
  await expect(web).toContainText('a web component is stale after 60 s');
  await why(page, 'web-1', 'web', 'Heartbeat').click();
  const cure = page.locator('[data-hint="web-idle"]');
  await expect(cure).toBeInViewport();
  await expect(cure).toContainText('A web component sends a heartbeat only when it serves a request');
  await expect(cure).toContainText('behind a sticky load balancer');
  await expect(cure.getByRole('listitem').first()).toContainText('Open a page of the product on web-1 itself');
  await cluster.beat({ server: 'web-1', role: 'web' });
  await expect(cure).toHaveCount(0);
  await expect(web).toHaveAttribute('data-pulse', 'alive');
});

test('why does the machine key differ', async ({ cluster, page }) => {
  await cluster.configure(quick);
  const web = (name: string, machineKey: string) => ({ server: name, role: 'web' as const, version: '5.3.40', machineKey });
  await cluster.beats([web('web-1', 'm'), web('web-2', 'm'), web('web-3', 'other')]);
  await open(page, cluster.url);
  await expect(page.getByText('web-3: the machine key does not match.')).toBeVisible();
  await why(page, 'web-3', 'web', 'Encryption key').click();
  const cure = page.locator('[data-hint="machine-key-mismatch"]');
  await expect(cure).toBeInViewport();
  await expect(cure).toContainText(`2 servers share machine key ${digits('m')}: web-1 and web-2; ${digits('other')} is on web-3.`);
  await expect(cure).toContainText('Users who move from one web server to another are signed out.');
  await expect(cure.getByRole('listitem').first()).toContainText('Set the same machine key on all web servers.');
  await cluster.beat(web('web-3', 'm'));
  await expect(cure).toHaveCount(0);
  await expect(server(page, 'web-3')).toHaveAttribute('data-health', 'ok');
});

test('why is a removed one back, and how does it stay away', async ({ cluster, page }) => {
  await cluster.configure({ ...quick, heartbeat_interval_s: 2, stale_timeout_s: 6 });
  await cluster.keepBeating([{ server: 'app-2' }]);
  cluster.agent('app-1', 'service');
  await open(page, cluster.url);
  await server(page, 'app-1').getByRole('link', { name: 'app-1' }).click();
  await page.getByRole('link', { name: 'Remove service' }).click();
  await page.getByRole('button', { name: 'Remove' }).click();
  await page.getByRole('button', { name: 'Remove anyway' }).click();
  const why = page.locator('[data-hint="came-back"]');
  await expect(why).toContainText('app-1 has reappeared after its removal');
  await expect(why).toContainText('without a restart');
  await expect(why.getByRole('listitem').first()).toContainText('stop it on app-1 first, then remove it');

  await cluster.end('app-1 service', 'SIGTERM');
  await expect(line(page, 'app-1', 'service')).toHaveAttribute('data-pulse', 'stopped');
  await why.getByRole('link', { name: 'Remove', exact: true }).click();
  await page.getByRole('button', { name: 'Remove' }).click();
  await expect(server(page, 'app-1')).toHaveCount(0);
  await expect(why).toHaveCount(0);
  await expect(page.getByTestId('verdict')).toHaveText('The server is in sync');
  expect((await cluster.overview()).counts.servers).toBe(1);
});
