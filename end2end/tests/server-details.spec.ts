// Do the details of a server work: address, focus, updates, narrow screens?

import { component, expect, focusedId, Heartbeat, openPage, quickTimers, server, test } from './cluster';

test('the details have an address, open with the keyboard, close with Escape and return the focus', async ({ cluster, page }) => {
  await cluster.sendHeartbeats([{ server: 'app-1' }, { server: 'app-2', role: 'web', version: '2026.1.9', ip: 'fd00::2' }, { server: 'app-2' }]);
  await openPage(page, cluster.url);
  const opener = page.getByRole('link', { name: 'app-2' }).first();
  await opener.focus();
  await page.keyboard.press('Enter');
  const panel = page.getByRole('dialog', { name: 'app-2' });
  await expect(panel).toBeVisible();
  await expect(page).toHaveURL(/\?server=app-2$/);
  await expect.poll(() => focusedId(page)).toBe('panel-title');
  await page.keyboard.press('Escape');
  await expect(panel).toHaveCount(0);
  await expect(page).not.toHaveURL(/server=/);
  await expect.poll(() => focusedId(page)).toBe('open-server-app-2');
  await opener.click();
  await page.getByRole('link', { name: 'Close' }).click();
  await expect(panel).toHaveCount(0);
  await expect.poll(() => focusedId(page)).toBe('open-server-app-2');
});

for (const scripts of [true, false]) {
  test.describe(scripts ? 'with scripts' : 'without scripts', () => {
    test.use({ javaScriptEnabled: scripts });

    test('they show every fact, and the same after a reload', async ({ cluster, page }) => {
      await cluster.sendHeartbeats([{ server: 'app-1' }, { server: 'app-3' }]);
      const sent_at = new Date(Date.now() + 60_000).toISOString();
      await cluster.sendHeartbeat({ server: 'app-2', role: 'web', version: '2026.1.9', ip: 'fd00::2', key: 'another key' });
      await cluster.sendHeartbeat({ server: 'app-2', boot_id: '0b0e8a6e-3c0a-4d5e-9f7e-3d1b9f0c2a11', sent_at });
      await openPage(page, `${cluster.url}?sort=name&server=app-2`, scripts);
      for (const again of [false, true]) {
        if (again) await page.reload();
        const panel = page.getByRole('dialog', { name: 'app-2' });
        const fact = (part: number, label: string) =>
          panel.locator('section').nth(part).locator('dl > div').filter({ has: page.getByText(label, { exact: true }) });
        await expect(fact(0, 'Status')).toContainText('Error');
        await expect(fact(0, 'Operating system')).toContainText('Debian GNU/Linux 12');
        await expect(fact(0, 'First seen')).toContainText(/ago|just now/);
        await expect(fact(0, 'Last seen').locator('small')).toHaveText(scripts ? /^\d\d:\d\d:\d\d UTC$/ : /^\d\d:\d\d:\d\dZ$/);
        await expect(panel.getByRole('heading', { level: 3 })).toHaveText(['Server', 'Web component', 'Service', 'History']);
        await expect(fact(1, 'Version')).toContainText('2026.1.9 · older');
        for (const more of await panel.getByText('More facts').all()) await more.click();
        await expect(fact(1, 'Address')).toContainText('fd00::2');
        await expect(fact(1, 'Encryption key')).toContainText('Decryption failure');
        await expect(fact(1, 'Why')).toContainText('an older version than the rest of the cluster');
        await expect(fact(2, 'Encryption key')).toContainText('In sync');
        await expect(fact(2, 'Heartbeat interval')).toContainText('every 30 s');
        await expect(fact(2, 'Clock offset')).toContainText(/(59|1 min).* ahead/);
      }
      await page.getByRole('link', { name: 'Close' }).click();
      await expect(page.getByRole('dialog')).toHaveCount(0);
      await expect(page, 'the order is kept').toHaveURL(/\?sort=name$/);
    });

    test('they begin with the hints about this server, and with no others', async ({ cluster, page }) => {
      await cluster.sendHeartbeats([
        { server: 'app-1' }, { server: 'app-2' }, { server: 'app-3', key: 'another key' }, { server: 'app-4', leaving: true },
      ]);
      await openPage(page, `${cluster.url}?server=app-3`, scripts);
      const advice = page.getByRole('dialog', { name: 'app-3' }).locator('.advice');
      await expect(advice).toHaveCount(1);
      await expect(advice).toContainText('app-3 uses a different encryption key');
      await expect(advice.getByRole('listitem').first()).toBeInViewport();
      await openPage(page, `${cluster.url}?server=app-1`, scripts);
      await expect(page.getByRole('dialog', { name: 'app-1' })).toBeVisible();
      await expect(page.locator('.advice')).toHaveCount(0);
    });
  });
}

test('they are updated, and the user keeps focus and selection', async ({ cluster, page }) => {
  await cluster.saveSettings(quickTimers);
  await cluster.keepSendingHeartbeats([{ server: 'app-2' }]);
  await cluster.sendHeartbeat({ server: 'app-1', ip: '10.0.3.7' });
  await openPage(page, `${cluster.url}?server=app-1`);
  const panel = page.getByRole('dialog', { name: 'app-1' });
  await panel.getByRole('link', { name: 'Remove service' }).focus();
  await panel.getByText('10.0.3.7').first().selectText();
  await expect(panel).toContainText('Late', { timeout: 10_000 });
  await expect(panel).toContainText('Stale', { timeout: 10_000 });
  await expect(panel).toContainText('No heartbeat since');
  expect(await page.evaluate(() => String(getSelection()))).toContain('10.0.3.7');
  await expect(panel.getByRole('link', { name: 'Remove service' })).toBeFocused();
  await expect(component(page, 'app-1', 'service')).toHaveAttribute('data-pulse', 'stale');
});

test('what was opened in them stays open while updates arrive, also a first hint', async ({ cluster, page }) => {
  await cluster.saveSettings(quickTimers);
  await cluster.keepSendingHeartbeats([{ server: 'app-2' }]);
  const stop = await cluster.keepSendingHeartbeats([{ server: 'app-1' }]);
  await openPage(page, `${cluster.url}?server=app-1`);
  const panel = page.getByRole('dialog', { name: 'app-1' });
  await panel.getByText('More facts').click();
  await cluster.saveSettings({ ...quickTimers, heartbeat_interval_s: 2 });
  await expect(panel.getByText('every 2 s')).toBeVisible();
  await stop();
  await expect(panel.locator('.advice')).toBeVisible();
  await expect(panel.getByText('every 2 s')).toBeVisible();
});

test('the details of an unknown server are filled when it reports', async ({ cluster, page }) => {
  await cluster.saveSettings(quickTimers);
  await openPage(page, `${cluster.url}?server=app-1`);
  await expect(page.getByRole('dialog')).toContainText('Server app-1 not found');
  await cluster.sendHeartbeat({ server: 'app-1' });
  await expect(page.getByRole('dialog')).toContainText('Debian GNU/Linux 12');
});

test('another server replaces the first, and Escape returns the focus to the list', async ({ cluster, page }) => {
  await cluster.sendHeartbeats([{ server: 'app-1' }, { server: 'app-2' }]);
  await page.setViewportSize({ width: 1440, height: 900 });
  await openPage(page, cluster.url);
  await server(page, 'app-1').getByRole('link').click();
  await expect(page.getByRole('dialog', { name: 'app-1' })).toBeVisible();
  await server(page, 'app-2').getByRole('link').click();
  await expect(page.getByRole('dialog', { name: 'app-2' })).toBeVisible();
  await expect(page.getByRole('dialog')).toHaveCount(1);
  await page.goBack();
  await expect(page.getByRole('dialog', { name: 'app-1' })).toBeVisible();
  await page.getByRole('link', { name: 'Remove server' }).click();
  await expect(page.getByRole('dialog', { name: 'Remove app-1?' })).toBeVisible();
  await expect.poll(() => focusedId(page)).toBe('panel-title');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect.poll(() => focusedId(page)).toMatch(/^open-server-app-[12]$/);
});

test('on a wide screen they lie over the page, with both components side by side and their raw facts folded', async ({ cluster, page }) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await cluster.sendHeartbeats(['web', 'service'].map((role) => ({ server: 'app-1', role }) as Heartbeat));
  await openPage(page, cluster.url);
  const row = await server(page, 'app-1').boundingBox();
  await server(page, 'app-1').getByRole('link', { name: 'app-1', exact: true }).click();
  const panel = page.getByRole('dialog', { name: 'app-1' });
  const top = (heading: string) => panel.getByRole('heading', { name: heading }).boundingBox();
  const [web, service] = [await top('Web component'), await top('Service')];
  expect(web?.y).toBe(service?.y);
  expect(web?.x).not.toBe(service?.x);
  expect(await server(page, 'app-1').boundingBox(), 'the list has not moved').toEqual(row);
  await expect(panel.getByText('Clock offset').first()).toBeHidden();
  await panel.getByText('More facts').first().click();
  await expect(panel.getByText('Clock offset').first()).toBeVisible();
  await expect(panel.getByText('Clock offset').last(), 'each is opened by itself').toBeHidden();
});

test('on a narrow screen they cover the screen', async ({ cluster, page }) => {
  await page.setViewportSize({ width: 360, height: 700 });
  await cluster.sendHeartbeat({ server: 'app-1' });
  await openPage(page, cluster.url);
  await server(page, 'app-1').getByRole('link').click();
  const panel = page.getByRole('dialog', { name: 'app-1' });
  expect(await panel.boundingBox()).toEqual({ x: 0, y: 0, width: 360, height: 700 });
  await expect(page.getByTestId('verdict'), 'nothing behind the panel is visible').toBeHidden();
  await page.keyboard.press('Escape');
  await expect(page.getByTestId('verdict')).toBeVisible();
  await expect.poll(() => focusedId(page)).toBe('open-server-app-1');
});

test('a link opened in a new tab does not change this page', async ({ cluster, page, context }) => {
  await cluster.sendHeartbeat({ server: 'App-1' });
  await openPage(page, `${cluster.url}?sort=name`);
  const opened = context.waitForEvent('page');
  await server(page, 'App-1').getByRole('link').click({ modifiers: ['ControlOrMeta'] });
  const tab = await opened;
  await expect(tab.getByRole('dialog', { name: 'App-1' })).toBeVisible();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(page).toHaveURL(/\?sort=name$/);
  await openPage(tab, `${cluster.url}?server=aPP-1`);
  await expect(tab.getByRole('dialog', { name: 'App-1' }), 'names ignore case').toContainText('Debian');
});
