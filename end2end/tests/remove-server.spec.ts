// What happens when an admin removes a component or a server?

import {
  component, expect, fetchWithDeadline, hintLink, openPage, quickTimers, server, shownServers, test,
} from './cluster';

for (const scripts of [true, false]) {
  test.describe(scripts ? 'with scripts' : 'without scripts', () => {
    test.use({ javaScriptEnabled: scripts });

    test('a stopped service is removed after one confirmation', async ({ cluster, page }) => {
      await cluster.sendHeartbeats([{ server: 'app-1' }, { server: 'app-2' }, { server: 'app-2', leaving: true }]);
      await openPage(page, cluster.url, scripts);
      await server(page, 'app-2').getByRole('link', { name: 'app-2' }).click();
      await page.getByRole('link', { name: 'Remove service' }).click();
      const panel = page.getByRole('dialog', { name: 'Remove the service of app-2?' });
      await expect(panel).toContainText('It disappears from this page. If it sends another heartbeat, it reappears');
      await expect(panel).not.toContainText('It is still running');
      await page.getByRole('button', { name: 'Remove' }).click();
      await expect(server(page, 'app-2')).toHaveCount(0);
      await expect(page.getByTestId('done')).toContainText('emoved. If it is still running, it reappears with its next heartbeat');
      await expect(page.getByRole('dialog')).toHaveCount(0);
      expect((await cluster.overview()).counts.servers).toBe(1);
    });

    test('a live component needs two confirmations, and the other component stays', async ({ cluster, page }) => {
      await cluster.sendHeartbeats([{ server: 'app-1' }, { server: 'app-1', role: 'web' }]);
      await openPage(page, cluster.url, scripts);
      await server(page, 'app-1').getByRole('link', { name: 'app-1' }).click();
      await page.getByRole('link', { name: 'Remove web component' }).click();
      const panel = page.getByRole('dialog', { name: 'Remove the web component of app-1?' });
      await expect(panel).toContainText('It is still running. Stop it on app-1 first, or it reappears with its next heartbeat.');
      await page.getByRole('button', { name: 'Remove' }).click();
      await expect(panel).toContainText('app-1 is still running and will reappear with its next heartbeat. Remove it anyway?');
      expect((await cluster.overview()).counts.web, 'the first confirmation removed nothing').toBe(1);
      await page.getByRole('button', { name: 'Remove anyway' }).click();
      await expect(component(page, 'app-1', 'web')).toHaveCount(0);
      await expect(component(page, 'app-1', 'service')).toHaveAttribute('data-pulse', 'alive');
      await expect(page.getByTestId('done')).toContainText(/removed/i);
    });

    test('a live server needs two confirmations', async ({ cluster, page }) => {
      await cluster.sendHeartbeats([{ server: 'app-1' }, { server: 'app-1', role: 'web' }, { server: 'app-2' }]);
      await openPage(page, cluster.url, scripts);
      await server(page, 'app-1').getByRole('link', { name: 'app-1' }).click();
      await page.getByRole('link', { name: 'Remove server' }).click();
      await expect(page.getByRole('dialog', { name: 'Remove app-1?' })).toContainText('It is still running.');
      await page.getByRole('button', { name: 'Remove' }).click();
      await expect(page.getByRole('dialog')).toContainText('Remove it anyway?');
      await page.getByRole('link', { name: 'Cancel' }).click();
      await expect(page.getByRole('dialog')).toHaveCount(0);
      expect(await shownServers(page)).toEqual(['app-1', 'app-2']);
      await server(page, 'app-1').getByRole('link', { name: 'app-1' }).click();
      await page.getByRole('link', { name: 'Remove server' }).click();
      await page.getByRole('button', { name: 'Remove' }).click();
      await page.getByRole('button', { name: 'Remove anyway' }).click();
      await expect(server(page, 'app-1')).toHaveCount(0);
      await expect(server(page, 'app-2')).toHaveCount(1);
    });

    test('a removed agent that still runs reappears, and the page says so', async ({ cluster, page }) => {
      await cluster.saveSettings({ ...quickTimers, heartbeat_interval_s: 2, stale_timeout_s: 6 });
      cluster.agent('app-1', 'service');
      await cluster.sendHeartbeat({ server: 'app-2' });
      await expect.poll(async () => (await cluster.overview()).counts.servers).toBe(2);
      await openPage(page, `${cluster.url}?remove=app-1&role=service`, scripts);
      await page.getByRole('button', { name: 'Remove' }).click();
      await page.getByRole('button', { name: 'Remove anyway' }).click();
      await expect(page.getByTestId('done')).toContainText(/removed/i);
      await expect.poll(async () => (await cluster.overview()).hints.map((hint: { id: string }) => hint.id)).toContain('came-back');
      if (scripts) {
        await expect(page.getByTestId('done')).toContainText('app-1 has reappeared after its removal');
        await expect(page.getByRole('status')).toHaveText('app-1 has reappeared after its removal');
      } else {
        await page.reload();
      }
      const hint = page.locator('[data-hint="came-back"]');
      await expect(hint).toContainText('app-1 has reappeared after its removal');
      await expect(hint).toContainText('stop it on app-1 first, then remove it');
      await expect(component(page, 'app-1', 'service')).toHaveAttribute('data-pulse', 'alive');
      await hintLink(page, 'app-1', 'service', 'Heartbeat').click();
      await expect(page).toHaveURL(/#hint-came-back-app-1_service$/);
    });

    test('an unknown server cannot be removed, and the page says so', async ({ cluster, page }) => {
      await cluster.sendHeartbeat({ server: 'app-1' });
      await openPage(page, `${cluster.url}?remove=app-7`, scripts);
      await expect(page.getByRole('dialog')).toContainText('Server app-7 not found: it was removed, or it never reported.');
      await expect(page.locator('#confirm')).toHaveCount(0);
    });
  });
}

test('a service that was restarted after its removal gets no hint', async ({ cluster, page }) => {
  await cluster.saveSettings(quickTimers);
  await cluster.keepSendingHeartbeats([{ server: 'app-2' }]);
  await cluster.sendHeartbeat({ server: 'app-1', leaving: true });
  await openPage(page, `${cluster.url}?remove=app-1`);
  await page.getByRole('button', { name: 'Remove' }).click();
  await expect(page.getByTestId('done')).toContainText('app-1 removed. If it is still running, it reappears with its next heartbeat, and this line says so.');
  await cluster.sendHeartbeat({ server: 'app-1', boot_id: '0b0e8a6e-3c0a-4d5e-9f7e-3d1b9f0c2a11' });
  await expect(page.getByTestId('done')).toContainText('app-1 is back: it was restarted.');
  await expect(page.locator('[data-hint="came-back"]')).toHaveCount(0);
});

test('open details say so when somebody else removes the server', async ({ cluster, page }) => {
  await cluster.saveSettings(quickTimers);
  await cluster.keepSendingHeartbeats([{ server: 'app-2' }]);
  await cluster.sendHeartbeat({ server: 'app-1', leaving: true });
  await openPage(page, `${cluster.url}?server=app-1`);
  const panel = page.getByRole('dialog', { name: 'app-1' });
  await expect(panel).toContainText('Debian GNU/Linux 12');
  await fetchWithDeadline(new URL('api/v1/servers/app-1', cluster.url), { method: 'DELETE' });
  await expect(panel).toContainText('Server app-1 not found: it was removed, or it never reported.');
  await expect(panel).not.toContainText('Debian');
  await page.keyboard.press('Escape');
  await expect(panel).toHaveCount(0);
});

test('a confirmation on an outdated page changes nothing and says so', async ({ cluster, page }) => {
  await cluster.sendHeartbeats([{ server: 'app-1', leaving: true }, { server: 'app-2' }]);
  await openPage(page, cluster.url);
  await page.getByRole('button', { name: 'Pause' }).click();
  await server(page, 'app-1').getByRole('link', { name: 'app-1', exact: true }).click();
  await page.getByRole('link', { name: 'Remove server' }).click();
  await fetchWithDeadline(new URL('api/v1/servers/app-1', cluster.url), { method: 'DELETE' });
  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  await expect(page.getByRole('dialog')).toContainText('Nothing was changed.');
});
