// Do rows and hints link to each other, and does one card stand for all servers with one cause?

import {
  expect, fetchWithDeadline, freePort, hint, hintLink, openPage, quickTimers, server, test, waitForHydration,
} from './cluster';

const withWrongKey = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ server: `bad-${n + 1}`, key: 'another key' }));
const right = ['app-1', 'app-2'].map((server) => ({ server }));

for (const scripts of [true, false]) {
  test.describe(scripts ? 'with scripts' : 'without scripts', () => {
    test.use({ javaScriptEnabled: scripts });

    test('a row links to its hint, and the hint links to its row', async ({ cluster, page }) => {
      await page.setViewportSize({ width: 1200, height: 300 });
      await cluster.sendHeartbeats([...right, ...withWrongKey(1)]);
      await openPage(page, cluster.url, scripts);
      await hintLink(page, 'bad-1', 'service', 'Encryption key').click();
      await expect(page).toHaveURL(/#hint-key-mismatch-bad-1$/);
      await expect(hint(page, 'key-mismatch-bad-1').getByRole('heading')).toBeInViewport();
      await hint(page, 'key-mismatch-bad-1').getByRole('link', { name: 'Show bad-1' }).click();
      await expect(page).toHaveURL(/#server-bad-1$/);
      await expect(server(page, 'bad-1')).toBeInViewport();
    });

    test('a hint links to its row even if a filter hides it', async ({ cluster, page }) => {
      await cluster.sendHeartbeats([...right, ...withWrongKey(1)]);
      await openPage(page, `${cluster.url}?state=ok`, scripts);
      await expect(server(page, 'bad-1')).toHaveCount(0);
      await hint(page, 'key-mismatch-bad-1').getByRole('link', { name: 'Show bad-1' }).click();
      await expect(page).toHaveURL(/q=bad-1#server-bad-1$/);
      await expect(server(page, 'bad-1')).toBeInViewport();
      await expect(page.getByRole('searchbox')).toHaveValue('bad-1');
      await page.goBack();
      await expect(server(page, 'bad-1'), 'the back button returns to the hint').toHaveCount(0);
      await expect(server(page, 'app-1')).toHaveCount(1);
    });

    test('a server whose messenger cannot be reached can be dialled again from its hint, which says how that went', async ({ cluster, page }) => {
      const port = await freePort();
      await cluster.sendHeartbeat({ server: 'db-1', ip: '127.0.0.1', messenger_port: port });
      await expect.poll(async () => JSON.stringify(await cluster.overview())).toContain('"reason":"refused"');
      await openPage(page, cluster.url, scripts);
      await hint(page, 'messenger-unreachable-db-1_service').getByRole('button', { name: 'Reconnect' }).click();
      await expect(page.getByText('Could not connect.')).toBeVisible();
    });

    test('where several servers report no key the page says that keys are not checked', async ({ cluster, page }) => {
      await cluster.sendHeartbeats(right.map((component) => ({ ...component, key: null })));
      await openPage(page, cluster.url, scripts);
      const advice = page.locator('[data-hint="keys-not-checked"]');
      await expect(advice).toHaveAttribute('data-severity', 'info');
      await expect(advice).toContainText('Encryption keys are not checked');
      await expect(advice).toContainText('None of 2 servers reports a check of its encryption key.');
      await expect(page.getByTestId('verdict'), 'it is advice, no problem').toHaveText('All 2 servers are in sync');
    });
  });
}

test('a hint that fails to reconnect says so above the list, and a form that is open beside it says nothing', async ({ cluster, page }) => {
  const port = await freePort();
  await cluster.sendHeartbeat({ server: 'db-1', ip: '127.0.0.1', messenger_port: port });
  await expect.poll(async () => JSON.stringify(await cluster.overview())).toContain('"reason":"refused"');
  await openPage(page, `${cluster.url}?configure`);
  await page.getByLabel('Stale timeout').fill('7 min');
  await hint(page, 'messenger-unreachable-db-1_service').getByRole('button', { name: 'Reconnect' }).click();
  await expect(page.getByTestId('done')).toContainText('Could not connect.');
  await expect(page.getByTestId('effects')).not.toContainText('Could not connect.');
  await expect(page.getByLabel('Stale timeout')).toHaveValue('7 min');
});

test('servers with one cause share a card: its steps once, each server a link, and a link to all of them', async ({ cluster, page }) => {
  await cluster.saveSettings(quickTimers);
  await cluster.keepSendingHeartbeats([...right, ...withWrongKey(2), { server: 'odd-1', key: 'a third key' }]);
  await openPage(page, cluster.url);
  const cards = page.locator('[data-hint="key-mismatch"]');
  await expect(cards, 'another key is another cause').toHaveCount(2);
  const card = cards.filter({ hasText: '2 servers use a different encryption key' });
  await expect(card.locator('.subjects li')).toHaveText(['bad-1', 'bad-2']);
  await expect(card.getByRole('listitem').filter({ hasText: 'On these servers, compare the encryption key' })).toHaveCount(1);
  await expect(card.getByRole('link', { name: /^Accept key/ })).toHaveCount(1);
  await expect(hint(page, 'key-mismatch-odd-1').getByRole('heading')).toHaveText('odd-1 uses a different encryption key');
  await cluster.sendHeartbeat({ server: 'bad-3', key: 'another key' });
  await expect(card.or(cards.filter({ hasText: '3 servers' })).locator('.subjects li')).toHaveText(['bad-1', 'bad-2', 'bad-3']);
  await expect(page.locator('#troubleshooting-head')).toContainText(/[45] hints/);
  await cards.first().getByRole('link', { name: 'Show all 3 servers' }).click();
  await expect(page.locator('.server')).toHaveCount(4);
  await expect(page.getByRole('searchbox')).toHaveValue('hint:key-mismatch');
});

test('of four cards the first is open; the others show their title and evidence until they are opened', async ({ cluster, page }) => {
  await cluster.saveSettings(quickTimers);
  const keys = [1, 2, 3, 4].map((n) => ({ server: `bad-${n}`, key: `key ${n}` }));
  await cluster.keepSendingHeartbeats([...right, ...keys]);
  await openPage(page, cluster.url);
  await expect(page.locator('[data-hint="key-mismatch"]')).toHaveCount(4);
  await expect(hint(page, 'key-mismatch-bad-1').getByRole('listitem').first()).toBeVisible();
  await expect(hint(page, 'key-mismatch-bad-2').getByRole('listitem').first()).toBeHidden();
  await hint(page, 'key-mismatch-bad-2').getByRole('heading').click();
  await expect(hint(page, 'key-mismatch-bad-2').getByRole('listitem').first()).toBeVisible();
});

test('a link to a server of a folded card opens it, also after a reload, and it stays open when a server is added', async ({ cluster, page }) => {
  await cluster.saveSettings(quickTimers);
  const others = [1, 2, 3].map((n) => ({ server: `a-${n}`, key: `key ${n}` }));
  await cluster.keepSendingHeartbeats([...right, ...others, ...withWrongKey(6)]);
  await openPage(page, cluster.url);
  const card = page.locator('[data-hint="key-mismatch"]').filter({ has: page.locator('.subjects') });
  const subject = hint(page, 'key-mismatch-bad-4');
  await expect(subject).toBeHidden();
  await hintLink(page, 'bad-4', 'service', 'Encryption key').click();
  await expect(subject).toBeInViewport();
  await page.reload();
  await waitForHydration(page);
  await expect(subject).toBeInViewport();
  await expect(card.locator('details')).toHaveAttribute('open', '');
  await cluster.sendHeartbeat({ server: 'bad-7', key: 'another key' });
  await expect(card.getByRole('heading')).toHaveText('7 servers use a different encryption key');
  await expect(card.locator('details')).toHaveAttribute('open', '');
  await fetchWithDeadline(new URL('api/v1/servers/bad-7?force=true', cluster.url), { method: 'DELETE' });
  await expect(card.getByRole('heading')).toHaveText('6 servers use a different encryption key');
  await expect(card.locator('details')).toHaveAttribute('open', '');
});

test('when all services go silent together, there is one hint, which says to check the overview first', async ({ cluster, page }) => {
  await cluster.saveSettings(quickTimers);
  const stop = await cluster.keepSendingHeartbeats(['app-1', 'app-2', 'app-3'].map((server) => ({ server })));
  await openPage(page, cluster.url);
  await expect(page.getByTestId('verdict')).toHaveText('All 3 servers are in sync');
  await stop();
  const everyone = page.locator('[data-hint="everyone-silent"]');
  await expect(everyone).toContainText('3 of 3 services stopped reporting at the same time', { timeout: 15_000 });
  await expect(everyone).toContainText('Check the overview first');
  await expect(everyone).toContainText('Do not let a container platform restart the servers');
  await expect(page.locator('[data-hint]'), 'it replaces the hint of each service').toHaveCount(1);
  await hintLink(page, 'app-2', 'service', 'Heartbeat').click();
  await expect(everyone).toBeInViewport();
  await cluster.keepSendingHeartbeats(['app-1', 'app-2', 'app-3'].map((server) => ({ server })));
  await expect(page.locator('[data-hint]')).toHaveCount(0);
  await expect(page.locator('.hints details')).toHaveCount(0);
  await expect(page.getByText('No problems found.')).toBeVisible();
});

test('the most urgent hint is first, and each disappears when its problem is solved', async ({ cluster, page }) => {
  await cluster.saveSettings({ ...quickTimers, heartbeat_interval_s: 2, stale_timeout_s: 60 });
  await cluster.sendHeartbeats(right);
  await cluster.sendHeartbeats([{ server: 'bad-1', key: 'another key' }, { server: 'old-1', version: '2026.1.9' }]);
  await cluster.saveSettings({ ...quickTimers, heartbeat_interval_s: 30, stale_timeout_s: 60 });
  await openPage(page, cluster.url);
  const ids = () => page.locator('[data-hint]').evaluateAll((hints) => hints.map((hint) => hint.getAttribute('data-hint')));
  await expect.poll(ids).toEqual(['key-mismatch', 'version-skew', 'timers-tight']);
  await expect(page.locator('#troubleshooting-head')).toContainText('3 hints');
  await cluster.sendHeartbeat({ server: 'bad-1', boot_id: '0b0e8a6e-3c0a-4d5e-9f7e-3d1b9f0c2a11' });
  await expect.poll(ids, { timeout: 10_000 }).toEqual(['version-skew', 'timers-tight']);
  await page.locator('[data-hint="timers-tight"]').getByRole('link', { name: 'Edit settings' }).click();
  await page.getByLabel('Stale timeout').fill('90 s');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect.poll(ids).toEqual(['version-skew']);
  await expect(page.locator('#troubleshooting-head')).toContainText('1 hint');
});

test('each hint about a component says since when', async ({ cluster, page }) => {
  await cluster.saveSettings(quickTimers);
  await cluster.sendHeartbeat({ server: 'old-1' });
  await cluster.keepSendingHeartbeats([
    ...right, ...withWrongKey(1), { server: 'db-1', ip: '127.0.0.1', messenger_port: await freePort() },
  ]);
  await openPage(page, cluster.url);
  for (const id of ['key-mismatch', 'messenger-unreachable', 'service-stale']) {
    await expect(page.locator(`[data-hint="${id}"] .since`)).toHaveText(/^since \d\d:\d\d:\d\d UTC$/);
  }
});

test('a card with many servers shows twelve and how many more, and a link to one of those opens them', async ({ cluster, page }) => {
  await cluster.sendHeartbeats([...Array.from({ length: 20 }, (_, n) => ({ server: `app-${n + 1}` })), ...withWrongKey(14)]);
  await openPage(page, cluster.url);
  const card = page.locator('[data-hint="key-mismatch"]');
  const chips = card.locator('.subjects a');
  const more = card.getByText('2 more', { exact: true });
  await expect(chips).toHaveCount(14);
  await expect(chips.filter({ visible: true })).toHaveCount(12);
  await more.click();
  await expect(chips.filter({ visible: true })).toHaveCount(14);
  await page.reload();
  await waitForHydration(page);
  await expect(chips.filter({ visible: true })).toHaveCount(12);
  await hintLink(page, 'bad-14', 'service', 'Encryption key').click();
  await expect(hint(page, 'key-mismatch-bad-14')).toBeInViewport();
});

test('on a narrow screen a link to a hint opens the details of its server, with the cause and the steps', async ({ cluster, page }) => {
  await page.setViewportSize({ width: 390, height: 800 });
  await cluster.sendHeartbeats([...right, ...withWrongKey(1)]);
  await openPage(page, cluster.url);
  await hintLink(page, 'bad-1', 'service', 'Encryption key').click();
  const details = page.getByRole('dialog', { name: 'bad-1' });
  await expect(details).toContainText('bad-1 uses a different encryption key');
  await expect(details.getByRole('listitem').first()).toBeInViewport();
  await page.goBack();
  await expect(details).toHaveCount(0);
  await expect(server(page, 'bad-1')).toBeVisible();
});
